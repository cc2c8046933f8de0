-- Redshift's views of databases, schemas, tables, columns and functions (Database Developer Guide, the pages of the
-- views' names). There are no datashares and no external schemas here: SVV_ALL_… is what SVV_REDSHIFT_… is.

-- Schemas that are Redshift's as well.
CREATE OR REPLACE VIEW pg_internal.schemas AS
SELECT oid, nspname, nspowner, nspacl
FROM pg_catalog.pg_namespace
WHERE nspname <> 'pg_internal' AND nspname !~ '^pg_(toast|temp_|toast_temp_)';

-- information_schema.columns shows to each user what is theirs; "All users can see all rows from the system catalog
-- tables" (SVV_COLUMNS).
CREATE OR REPLACE VIEW pg_internal.described_columns AS
SELECT
    listed.table_id,
    listed.schema_name,
    listed.table_name,
    listed.column_name,
    listed.ordinal_position::integer AS ordinal_position,
    listed.column_default,
    CASE WHEN listed.is_not_null THEN 'NO' ELSE 'YES' END AS is_nullable,
    format_type(listed.type_id, NULL) AS data_type,
    information_schema._pg_char_max_length(listed.type_id, listed.type_modifier) AS character_maximum_length,
    information_schema._pg_numeric_precision(listed.type_id, listed.type_modifier) AS numeric_precision,
    information_schema._pg_numeric_precision_radix(listed.type_id, listed.type_modifier)
        AS numeric_precision_radix,
    information_schema._pg_numeric_scale(listed.type_id, listed.type_modifier) AS numeric_scale,
    information_schema._pg_datetime_precision(listed.type_id, listed.type_modifier) AS datetime_precision,
    col_description(listed.table_id, listed.ordinal_position) AS remarks
FROM pg_internal.table_columns AS listed
JOIN pg_internal.schemas AS schema ON schema.nspname = listed.schema_name;

CREATE OR REPLACE VIEW pg_catalog.svv_tables AS
SELECT
    current_database()::text AS table_catalog,
    schema.nspname::text AS table_schema,
    relation.relname::text AS table_name,
    CASE relation.relkind WHEN 'r' THEN 'BASE TABLE' ELSE 'VIEW' END AS table_type,
    obj_description(relation.oid, 'pg_class') AS remarks
FROM pg_class AS relation
JOIN pg_internal.schemas AS schema ON schema.oid = relation.relnamespace
WHERE relation.relkind IN ('r', 'v', 'm');

CREATE OR REPLACE VIEW pg_catalog.svv_columns AS
SELECT
    current_database()::text AS table_catalog,
    schema_name::text AS table_schema,
    table_name::text AS table_name,
    column_name::text AS column_name,
    ordinal_position,
    column_default,
    is_nullable,
    data_type,
    character_maximum_length,
    numeric_precision,
    numeric_precision_radix,
    numeric_scale,
    datetime_precision,
    NULL::text AS interval_type,
    NULL::text AS interval_precision,
    NULL::text AS character_set_catalog,
    NULL::text AS character_set_schema,
    NULL::text AS character_set_name,
    NULL::text AS collation_catalog,
    NULL::text AS collation_schema,
    NULL::text AS collation_name,
    NULL::text AS domain_name,
    remarks
FROM pg_internal.described_columns;

CREATE OR REPLACE VIEW pg_catalog.svv_all_tables AS
SELECT
    database_name,
    schema_name,
    table_name,
    table_type,
    table_acl,
    remarks::varchar(256) AS remarks
FROM pg_catalog.svv_redshift_tables;

CREATE OR REPLACE VIEW pg_catalog.svv_all_columns AS
SELECT
    current_database()::varchar(128) AS database_name,
    schema_name::varchar(128) AS schema_name,
    table_name::varchar(128) AS table_name,
    column_name::varchar(128) AS column_name,
    ordinal_position,
    column_default::varchar(4000) AS column_default,
    is_nullable::varchar(3) AS is_nullable,
    data_type::varchar(128) AS data_type,
    character_maximum_length,
    numeric_precision,
    numeric_scale,
    remarks::varchar(256) AS remarks
FROM pg_internal.described_columns
WHERE schema_name NOT LIKE 'pg!_%' ESCAPE '!' AND schema_name <> 'information_schema'
    AND has_table_privilege(table_id, 'SELECT');

CREATE OR REPLACE VIEW pg_catalog.svv_redshift_schemas AS
SELECT
    current_database()::varchar(128) AS database_name,
    nspname::varchar(128) AS schema_name,
    nspowner::integer AS schema_owner,
    'local'::varchar(16) AS schema_type,
    array_to_string(nspacl, '~')::varchar(128) AS schema_acl,
    NULL::varchar(128) AS schema_option
FROM pg_internal.schemas
WHERE has_schema_privilege(oid, 'USAGE');

CREATE OR REPLACE VIEW pg_catalog.svv_all_schemas AS
SELECT
    database_name,
    schema_name,
    schema_owner,
    schema_type::varchar(128) AS schema_type,
    schema_acl,
    NULL::varchar(128) AS source_database,
    schema_option::varchar(256) AS schema_option
FROM pg_catalog.svv_redshift_schemas;

CREATE OR REPLACE VIEW pg_catalog.svv_redshift_databases AS
SELECT
    datname::varchar(128) AS database_name,
    datdba::integer AS database_owner,
    'local'::varchar(32) AS database_type,
    array_to_string(datacl, '~')::varchar(128) AS database_acl,
    NULL::varchar(128) AS database_options,
    'Snapshot Isolation'::varchar(128) AS database_isolation_level
FROM pg_database
WHERE datname = current_database();

CREATE OR REPLACE VIEW pg_catalog.svv_redshift_functions AS
SELECT
    current_database()::varchar(128) AS database_name,
    schema.nspname::varchar(128) AS schema_name,
    routine.proname::varchar(128) AS function_name,
    CASE routine.prokind
        WHEN 'p' THEN 'STORED PROCEDURE'
        WHEN 'a' THEN 'AGGREGATE FUNCTION'
        ELSE 'REGULAR FUNCTION'
    END::varchar(128) AS function_type,
    oidvectortypes(routine.proargtypes)::varchar(512) AS argument_type,
    format_type(routine.prorettype, NULL)::varchar(128) AS result_type
FROM pg_proc AS routine
JOIN pg_internal.schemas AS schema ON schema.oid = routine.pronamespace
WHERE schema.nspname NOT IN ('pg_catalog', 'information_schema') AND has_function_privilege(routine.oid, 'EXECUTE');

-- PG_…_INFO: the catalog under the same name, with its number in a column.
CREATE OR REPLACE VIEW pg_catalog.pg_proc_info AS
SELECT
    oid AS prooid,
    proname,
    pronamespace,
    proowner,
    prolang,
    prosecdef,
    proisstrict,
    proretset,
    provolatile,
    pronargs,
    prorettype,
    proargtypes,
    proargnames,
    prosrc,
    probin,
    proacl,
    prokind,
    proargmodes,
    proallargtypes
FROM pg_proc
WHERE pronamespace <> 'pg_internal'::regnamespace;

CREATE OR REPLACE VIEW pg_catalog.pg_class_info AS
SELECT
    oid AS reloid,
    relname,
    relnamespace,
    reltype,
    relowner,
    relam,
    relfilenode,
    reltablespace,
    relpages,
    reltuples,
    relhasindex,
    relisshared,
    relkind,
    relnatts,
    relchecks,
    relacl,
    reldiststyle,
    -- "the distribution style might initially show AUTO (ALL)": 10 (PG_CLASS_INFO). When a table was made is not kept.
    CASE reldiststyle WHEN 9 THEN 10 ELSE reldiststyle END::integer AS releffectivediststyle,
    NULL::timestamp AS relcreationtime
FROM pg_internal.pg_class;

CREATE OR REPLACE VIEW pg_catalog.pg_attribute_info AS
SELECT * FROM pg_internal.pg_attribute;

CREATE OR REPLACE VIEW pg_catalog.pg_database_info AS
SELECT
    oid AS datid,
    datname,
    datdba,
    encoding,
    datistemplate,
    datallowconn,
    datconfig.setconfig AS datconfig,
    datacl,
    CASE datconnlimit WHEN -1 THEN 'UNLIMITED' ELSE datconnlimit::text END AS datconnlimit
FROM pg_database
LEFT JOIN pg_db_role_setting AS datconfig ON datconfig.setdatabase = oid AND datconfig.setrole = 0
WHERE datname = current_database();

-- One node with one slice.
CREATE OR REPLACE VIEW pg_catalog.stv_slices AS
SELECT 0 AS node, 0 AS slice, 0 AS localslice, 'D'::character(1) AS type;

GRANT SELECT ON
    pg_catalog.svv_tables, pg_catalog.svv_columns, pg_catalog.svv_all_tables, pg_catalog.svv_all_columns,
    pg_catalog.svv_redshift_schemas, pg_catalog.svv_all_schemas, pg_catalog.svv_redshift_databases,
    pg_catalog.svv_redshift_functions, pg_catalog.pg_proc_info, pg_catalog.pg_class_info,
    pg_catalog.pg_attribute_info, pg_catalog.pg_database_info, pg_catalog.stv_slices
TO PUBLIC;
