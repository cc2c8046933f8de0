-- What SHOW lists, with the columns of its pages (Database Developer Guide, SHOW TABLES, SHOW COLUMNS, SHOW CONSTRAINTS,
-- …); the dialect makes queries of these. One sees what one owns, or may use and read.

CREATE OR REPLACE VIEW pg_internal.show_databases AS
SELECT
    datname::varchar AS database_name,
    datdba::integer AS database_owner,
    'local'::varchar AS database_type,
    array_to_string(datacl, '~')::varchar AS database_acl,
    NULL::varchar AS parameters,
    'Snapshot Isolation'::varchar AS database_isolation_level
FROM pg_catalog.pg_database
WHERE datname = current_database();

CREATE OR REPLACE VIEW pg_internal.show_schemas AS
SELECT
    current_database()::varchar AS database_name,
    nspname::varchar AS schema_name,
    nspowner::integer AS schema_owner,
    'local'::varchar AS schema_type,
    array_to_string(nspacl, '~')::varchar AS schema_acl,
    NULL::varchar AS source_database,
    NULL::varchar AS schema_option
FROM pg_catalog.pg_namespace
WHERE nspname !~ '^pg_(internal|toast|temp_|toast_temp_)' AND has_schema_privilege(oid, 'USAGE');

CREATE OR REPLACE VIEW pg_internal.show_tables AS
SELECT
    current_database()::varchar AS database_name,
    nspname::varchar AS schema_name,
    relname::varchar AS table_name,
    CASE relkind WHEN 'r' THEN 'TABLE' ELSE 'VIEW' END::varchar AS table_type,
    -- A view's owner has every right but to write, which on Redshift needs no ACL.
    nullif(
        array_to_string(relacl, '~'),
        CASE relkind WHEN 'v' THEN format('%1$s=rDxt/%1$s', relowner::regrole) END
    )::varchar AS table_acl,
    obj_description(relation.oid, 'pg_class')::varchar AS remarks,
    pg_get_userbyid(relowner)::varchar AS owner,
    -- Nothing keeps the times; how dist_style is written and what subtypes there are is UNCONFIRMED.
    NULL::timestamp AS last_altered_time,
    NULL::timestamp AS last_modified_time,
    CASE WHEN relkind = 'r' THEN CASE pg_internal.diststyle_number(attributes)
        WHEN 0 THEN 'EVEN'
        WHEN 1 THEN 'KEY'
        WHEN 8 THEN 'ALL'
        ELSE 'AUTO'
    END END::varchar AS dist_style,
    NULL::varchar AS table_subtype
FROM pg_catalog.pg_class AS relation
INNER JOIN pg_catalog.pg_namespace AS schema ON schema.oid = relnamespace
LEFT JOIN pg_internal.table_attributes AS attributes ON attributes.table_id = relation.oid
WHERE
    relkind IN ('r', 'v')
    AND nspname <> 'pg_internal'
    AND (
        pg_has_role(relowner, 'USAGE')
        OR has_schema_privilege(schema.oid, 'USAGE') AND has_any_column_privilege(relation.oid, 'SELECT')
    );

CREATE OR REPLACE VIEW pg_internal.show_columns AS
SELECT
    table_catalog::varchar AS database_name,
    table_schema::varchar AS schema_name,
    c.table_name::varchar AS table_name,
    c.column_name::varchar AS column_name,
    c.ordinal_position::integer AS ordinal_position,
    c.column_default::varchar AS column_default,
    is_nullable::varchar AS is_nullable,
    c.data_type::varchar AS data_type,
    character_maximum_length::integer AS character_maximum_length,
    numeric_precision::integer AS numeric_precision,
    numeric_scale::integer AS numeric_scale,
    col_description(format('%I.%I', table_schema, c.table_name)::regclass, c.ordinal_position)::varchar AS remarks,
    -- The types of these are those of SVV_REDSHIFT_COLUMNS; their words are UNCONFIRMED.
    CASE WHEN detail.sortkey < 0 THEN 'INTERLEAVED' WHEN detail.sortkey > 0 THEN 'COMPOUND' END::varchar AS sort_key_type,
    detail.sortkey AS sort_key,
    detail.is_distkey AS dist_key,
    CASE detail.relkind WHEN 'r' THEN detail.encoding END::varchar AS encoding,
    NULL::varchar AS collation
FROM information_schema.columns AS c
INNER JOIN pg_internal.show_tables AS t ON t.schema_name = c.table_schema AND t.table_name = c.table_name
LEFT JOIN pg_internal.table_columns AS detail
    ON
        detail.schema_name = c.table_schema AND detail.table_name = c.table_name
        AND detail.column_name = c.column_name;

CREATE OR REPLACE FUNCTION pg_internal.key_column(table_id oid, number smallint) RETURNS name
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (SELECT attname FROM pg_catalog.pg_attribute WHERE attrelid = table_id AND attnum = number);

-- SHOW CONSTRAINTS. What it says of rules is UNCONFIRMED: there are none, as no key is enforced.
CREATE OR REPLACE VIEW pg_internal.show_primary_keys AS
SELECT
    listed.database_name,
    listed.schema_name,
    listed.table_name,
    keys.name::varchar AS pk_name,
    pg_internal.key_column(keys.table_id, keys.columns[place.number])::varchar AS column_name,
    place.number AS key_seq
FROM pg_internal.keys AS keys
INNER JOIN pg_catalog.pg_class AS relation ON relation.oid = keys.table_id
INNER JOIN pg_catalog.pg_namespace AS pk_schema ON pk_schema.oid = relation.relnamespace
INNER JOIN pg_internal.show_tables AS listed
    ON listed.schema_name = pk_schema.nspname AND listed.table_name = relation.relname
CROSS JOIN LATERAL generate_subscripts(keys.columns, 1) AS place (number)
WHERE keys.contype = 'p';

CREATE OR REPLACE VIEW pg_internal.show_foreign_keys AS
SELECT
    current_database()::varchar AS pk_database_name,
    pk_schema.nspname::varchar AS pk_schema_name,
    pk_table.relname::varchar AS pk_table_name,
    pg_internal.key_column(pk_table.oid, keys.referenced_columns[place.number])::varchar AS pk_column_name,
    listed.database_name AS fk_database_name,
    listed.schema_name AS fk_schema_name,
    listed.table_name AS fk_table_name,
    pg_internal.key_column(keys.table_id, keys.columns[place.number])::varchar AS fk_column_name,
    place.number AS key_seq,
    keys.name::varchar AS fk_name,
    parent.name::varchar AS pk_name,
    NULL::smallint AS update_rule,
    NULL::smallint AS delete_rule,
    NULL::smallint AS deferrability
FROM pg_internal.keys AS keys
INNER JOIN pg_catalog.pg_class AS relation ON relation.oid = keys.table_id
INNER JOIN pg_catalog.pg_namespace AS fk_schema ON fk_schema.oid = relation.relnamespace
INNER JOIN pg_internal.show_tables AS listed
    ON listed.schema_name = fk_schema.nspname AND listed.table_name = relation.relname
INNER JOIN pg_catalog.pg_class AS pk_table ON pk_table.oid = keys.referenced_table
INNER JOIN pg_catalog.pg_namespace AS pk_schema ON pk_schema.oid = pk_table.relnamespace
LEFT JOIN pg_internal.keys AS parent ON parent.key_id = keys.referenced_key
CROSS JOIN LATERAL generate_subscripts(keys.columns, 1) AS place (number)
WHERE keys.contype = 'f';

CREATE OR REPLACE VIEW pg_internal.show_exported_keys AS
SELECT * FROM pg_internal.show_foreign_keys;

-- SHOW FUNCTIONS, SHOW PROCEDURES: users have none here.
CREATE OR REPLACE VIEW pg_internal.show_functions AS
SELECT
    NULL::varchar AS database_name,
    NULL::varchar AS schema_name,
    NULL::varchar AS function_name,
    NULL::integer AS number_of_arguments,
    NULL::varchar AS argument_list,
    NULL::varchar AS return_type,
    NULL::varchar AS remarks
WHERE false;

CREATE OR REPLACE VIEW pg_internal.show_procedures AS
SELECT
    database_name, schema_name, function_name AS procedure_name, number_of_arguments, argument_list, return_type, remarks
FROM pg_internal.show_functions;

-- Groups are roles of PostgreSQL's, as users and roles are; a comment tells them apart.
CREATE OR REPLACE VIEW pg_internal.identity AS
SELECT 0::oid AS id, 'public'::varchar AS name, 'public'::varchar AS kind
UNION ALL
SELECT
    oid,
    rolname::varchar,
    CASE
        WHEN rolcanlogin THEN 'user'
        WHEN shobj_description(oid, 'pg_authid') = 'group' THEN 'group'
        ELSE 'role'
    END
FROM pg_catalog.pg_roles;

CREATE OR REPLACE VIEW pg_internal.show_grants AS
SELECT
    current_database()::varchar AS database_name,
    granted.schema_name::varchar AS schema_name,
    granted.object_name::varchar AS object_name,
    granted.object_type::varchar AS object_type,
    replace(entry.privilege_type, 'TEMPORARY', 'TEMP')::varchar AS privilege_type,
    identity.id::integer AS identity_id,
    identity.name AS identity_name,
    identity.kind AS identity_type,
    entry.is_grantable AS admin_option,
    granted.object_type::varchar AS privilege_scope,
    pg_get_userbyid(entry.grantor)::varchar AS grantor_name
FROM (
    SELECT NULL AS schema_name, NULL AS object_name, 'DATABASE' AS object_type, datdba AS owner, datacl AS acl
    FROM pg_catalog.pg_database WHERE datname = current_database()
    UNION ALL
    SELECT nspname, NULL, 'SCHEMA', nspowner, nspacl FROM pg_catalog.pg_namespace WHERE nspname !~ '^pg_'
    UNION ALL
    SELECT nspname, relname, 'TABLE', relowner, relacl
    FROM pg_catalog.pg_class INNER JOIN pg_catalog.pg_namespace AS schema ON schema.oid = relnamespace
    WHERE relkind IN ('r', 'v') AND nspname !~ '^pg_'
) AS granted
CROSS JOIN LATERAL aclexplode(granted.acl) AS entry
INNER JOIN pg_internal.identity ON identity.id = entry.grantee
WHERE
    entry.grantee <> granted.owner
    AND entry.privilege_type IN (
        'SELECT', 'INSERT', 'UPDATE', 'DELETE', 'REFERENCES', 'TRUNCATE', 'USAGE', 'CREATE', 'TEMPORARY'
    )
    AND (pg_has_role(granted.owner, 'USAGE') OR entry.grantee = 0 OR pg_has_role(entry.grantee, 'USAGE'));

CREATE OR REPLACE VIEW pg_internal.show_column_grants AS
SELECT
    current_database()::varchar AS database_name,
    schema.nspname::varchar AS schema_name,
    relation.relname::varchar AS table_name,
    attribute.attname::varchar AS column_name,
    'COLUMN'::varchar AS object_type,
    entry.privilege_type::varchar AS privilege_type,
    identity.id::integer AS identity_id,
    identity.name AS identity_name,
    identity.kind AS identity_type,
    entry.is_grantable AS admin_option,
    'COLUMN'::varchar AS privilege_scope,
    pg_get_userbyid(entry.grantor)::varchar AS grantor_name
FROM pg_catalog.pg_attribute AS attribute
INNER JOIN pg_catalog.pg_class AS relation ON relation.oid = attribute.attrelid
INNER JOIN pg_catalog.pg_namespace AS schema ON schema.oid = relation.relnamespace
CROSS JOIN LATERAL aclexplode(attribute.attacl) AS entry
INNER JOIN pg_internal.identity ON identity.id = entry.grantee
WHERE
    relation.relkind IN ('r', 'v') AND schema.nspname !~ '^pg_' AND entry.privilege_type IN ('SELECT', 'UPDATE')
    AND (pg_has_role(relation.relowner, 'USAGE') OR entry.grantee = 0 OR pg_has_role(entry.grantee, 'USAGE'));

-- SHOW names a database: there is one.
CREATE OR REPLACE FUNCTION pg_internal.is_database(name text) RETURNS boolean
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE AS $body$
BEGIN
    IF name <> current_database() THEN
        RAISE EXCEPTION 'database "%" does not exist', name USING ERRCODE = '3D000';
    END IF;
    RETURN true;
END $body$;

CREATE OR REPLACE FUNCTION pg_internal.schema_of(relation regclass) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE
RETURN (SELECT relnamespace::regnamespace::text FROM pg_class WHERE oid = relation);

GRANT SELECT ON
    pg_internal.show_databases, pg_internal.show_schemas, pg_internal.show_tables, pg_internal.show_columns,
    pg_internal.show_grants, pg_internal.show_column_grants, pg_internal.show_primary_keys,
    pg_internal.show_foreign_keys, pg_internal.show_exported_keys, pg_internal.show_functions,
    pg_internal.show_procedures, pg_internal.identity
TO PUBLIC;
