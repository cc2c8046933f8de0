-- Redshift's catalog views.

CREATE OR REPLACE FUNCTION pg_internal.encoding(attributes pg_internal.table_attributes, columns pg_attribute)
RETURNS text LANGUAGE sql STABLE
RETURN COALESCE(
    NULLIF(NULLIF(attributes.encodings ->> columns.attnum::text, 'raw'), 'auto'),
    CASE
        WHEN attributes.encodings ->> columns.attnum::text = 'raw' THEN 'none'
        WHEN columns.attnum = ANY (attributes.sortkeys) THEN 'none'
        WHEN format_type(columns.atttypid, NULL) IN ('boolean', 'real', 'double precision') THEN 'none'
        WHEN format_type(columns.atttypid, NULL) IN ('character', 'character varying', 'text') THEN 'lzo'
        ELSE 'az64'
    END
);

-- Its name until pg_internal.columns became information_schema's.
DO $body$
BEGIN
    IF EXISTS (
        SELECT FROM pg_catalog.pg_attribute
        WHERE attrelid = pg_catalog.to_regclass('pg_internal.columns') AND attname = 'sortkey'
    ) THEN
        ALTER VIEW pg_internal.columns RENAME TO table_columns;
    END IF;
END $body$;

-- "If the table uses an interleaved sort key, each column that is part of the sort key has a value that is alternately
-- positive or negative" (guide, PG_TABLE_DEF); its sample begins with -1.
CREATE OR REPLACE FUNCTION pg_internal.sortkey_place(attributes pg_internal.table_attributes, number smallint)
RETURNS integer LANGUAGE sql STABLE
RETURN COALESCE(
    array_position(attributes.sortkeys, number)
    * CASE
        WHEN attributes.sort_style = 'interleaved' AND array_position(attributes.sortkeys, number) % 2 = 1 THEN -1
        ELSE 1
    END,
    0
);

CREATE OR REPLACE VIEW pg_internal.table_columns AS
SELECT
    namespace.nspname AS schema_name,
    relation.relname AS table_name,
    relation.oid AS table_id,
    relation.relkind,
    attribute.attname AS column_name,
    attribute.attnum AS ordinal_position,
    format_type(attribute.atttypid, attribute.atttypmod) AS data_type,
    -- As Redshift writes an identity's default: "identity"(table, column from 0, 'seed,step').
    CASE
        WHEN attribute.attidentity <> '' THEN format(
            '"identity"(%s, %s, %L::text)', relation.oid, attribute.attnum - 1, (
                SELECT seqstart || ',' || seqincrement
                FROM pg_sequence
                WHERE seqrelid = pg_get_serial_sequence(
                    quote_ident(namespace.nspname) || '.' || quote_ident(relation.relname), attribute.attname
                )::regclass
            )
        )
        ELSE pg_get_expr(preset.adbin, preset.adrelid)
    END AS column_default,
    pg_internal.encoding(attributes, attribute) AS encoding,
    COALESCE(attributes.distkey = attribute.attnum, false) AS is_distkey,
    pg_internal.sortkey_place(attributes, attribute.attnum) AS sortkey,
    attribute.attnotnull AS is_not_null,
    attribute.atttypid AS type_id,
    attribute.atttypmod AS type_modifier,
    attribute.attidentity <> '' AS is_identity
FROM pg_class AS relation
JOIN pg_namespace AS namespace ON namespace.oid = relation.relnamespace
JOIN pg_attribute AS attribute
    ON attribute.attrelid = relation.oid AND attribute.attnum > 0 AND NOT attribute.attisdropped
LEFT JOIN pg_attrdef AS preset ON preset.adrelid = relation.oid AND preset.adnum = attribute.attnum
LEFT JOIN pg_internal.table_attributes AS attributes ON attributes.table_id = relation.oid
WHERE relation.relkind IN ('r', 'v', 'm') AND namespace.nspname <> 'pg_internal';

CREATE OR REPLACE VIEW pg_catalog.pg_table_def AS
SELECT
    schema_name AS schemaname,
    table_name AS tablename,
    column_name AS "column",
    data_type AS type,
    encoding::character(32) AS encoding,
    is_distkey AS distkey,
    sortkey,
    is_not_null AS "notnull"
FROM pg_internal.table_columns
WHERE relkind = 'r' AND schema_name = ANY (current_schemas(true))
ORDER BY schema_name, table_name, ordinal_position;

CREATE OR REPLACE VIEW pg_catalog.svv_redshift_columns AS
SELECT
    current_database()::varchar(128) AS database_name,
    schema_name::varchar(128),
    table_name::varchar(128),
    column_name::varchar(128),
    ordinal_position::integer,
    data_type::varchar(128),
    column_default::varchar(4000),
    CASE WHEN is_not_null THEN 'NO' ELSE 'YES' END::varchar(3) AS is_nullable,
    encoding::varchar(128),
    is_distkey AS distkey,
    sortkey,
    NULL::varchar(4000) AS column_acl,
    col_description(table_id, ordinal_position)::varchar(256) AS remarks
FROM pg_internal.table_columns
WHERE schema_name NOT LIKE 'pg!_%' ESCAPE '!' AND schema_name <> 'information_schema'
    AND has_table_privilege(table_id, 'SELECT');

CREATE OR REPLACE VIEW pg_catalog.svv_redshift_tables AS
SELECT
    current_database()::varchar(128) AS database_name,
    namespace.nspname::varchar(128) AS schema_name,
    relation.relname::varchar(128) AS table_name,
    CASE relation.relkind WHEN 'r' THEN 'TABLE' ELSE 'VIEW' END::varchar(128) AS table_type,
    nullif(
        array_to_string(relation.relacl, '~'),
        CASE relation.relkind WHEN 'v' THEN format('%1$s=rDxt/%1$s', relation.relowner::regrole) END
    )::varchar(128) AS table_acl,
    obj_description(relation.oid, 'pg_class')::varchar(128) AS remarks,
    pg_get_userbyid(relation.relowner)::varchar(128) AS table_owner
FROM pg_class AS relation
JOIN pg_namespace AS namespace ON namespace.oid = relation.relnamespace
WHERE relation.relkind IN ('r', 'v', 'm') AND namespace.nspname NOT LIKE 'pg!_%' ESCAPE '!'
    AND namespace.nspname <> 'information_schema' AND has_table_privilege(relation.oid, 'SELECT');

CREATE OR REPLACE FUNCTION pg_internal.percentage(part bigint, whole bigint) RETURNS numeric
LANGUAGE sql IMMUTABLE
RETURN round(LEAST(100, 100.0 * part / GREATEST(whole, part, 1)), 2)::numeric(5, 2);

-- "only user-defined tables … that contain at least 1 row of data"; tbl_rows "includes rows marked for deletion, but
-- not yet vacuumed", unsorted is the "percent of unsorted rows" and stats_off "how stale the table's statistics are; 0
-- is current, 100 is out of date" (Database Developer Guide, SVV_TABLE_INFO). PostgreSQL keeps no order: what came
-- since the last VACUUM, by hand or in the background, is what has not been sorted.
-- What is not known is NULL: nothing limits the space, nothing keeps when a table was made.
DO $body$
BEGIN
    IF NOT EXISTS (
        SELECT FROM pg_catalog.pg_attribute
        WHERE attrelid = pg_catalog.to_regclass('pg_catalog.svv_table_info') AND attname = 'create_time'
    ) THEN
        DROP VIEW IF EXISTS pg_catalog.svv_table_info CASCADE;
    END IF;
END $body$;
CREATE OR REPLACE VIEW pg_catalog.svv_table_info AS
SELECT
    current_database()::text AS database,
    namespace.nspname::text AS schema,
    relation.oid AS table_id,
    relation.relname::text AS "table",
    CASE WHEN attributes.encodings IS NULL OR attributes.encodings = '{}' THEN 'Y, AUTO(ENCODE)' ELSE 'Y' END
        AS encoded,
    CASE
        WHEN attributes.distkey IS NOT NULL THEN format('KEY(%s)', distribution.attname)
        WHEN attributes.diststyle IN ('even', 'all') THEN upper(attributes.diststyle)
        ELSE 'AUTO(ALL)'
    END AS diststyle,
    CASE
        WHEN attributes.sort_style = 'interleaved' THEN 'INTERLEAVED'
        WHEN cardinality(attributes.sortkeys) > 0 THEN first_sortkey.attname::text
        ELSE 'AUTO(SORTKEY)'
    END AS sortkey1,
    COALESCE((
        SELECT max(longest.atttypmod - 4) FROM pg_attribute AS longest
        WHERE longest.attrelid = relation.oid AND longest.attnum > 0 AND NOT longest.attisdropped
            AND longest.atttypid = 'character varying'::regtype
    ), 0) AS max_varchar,
    CASE WHEN first_sortkey.attnum IS NOT NULL THEN pg_internal.encoding(attributes, first_sortkey) END::character(32)
        AS sortkey1_enc,
    COALESCE(cardinality(attributes.sortkeys), 0) AS sortkey_num,
    (pg_total_relation_size(relation.oid) + 1048575) / 1048576 AS size,
    NULL::numeric(10, 4) AS pct_used,
    0::bigint AS empty,
    CASE
        WHEN cardinality(attributes.sortkeys) > 0
            THEN pg_internal.percentage(activity.n_ins_since_vacuum, activity.n_live_tup)
    END AS unsorted,
    CASE
        WHEN activity.last_analyze IS NULL AND activity.last_autoanalyze IS NULL THEN 100::numeric(5, 2)
        ELSE pg_internal.percentage(activity.n_mod_since_analyze, activity.n_live_tup)
    END AS stats_off,
    (COALESCE(activity.n_live_tup, 0) + COALESCE(activity.n_dead_tup, 0))::numeric(38, 0) AS tbl_rows,
    NULL::numeric(19, 2) AS skew_sortkey1,
    -- There is one slice; the guide's sample has none for DISTSTYLE ALL.
    CASE WHEN attributes.diststyle = 'all' THEN NULL ELSE 1 END::numeric(19, 2) AS skew_rows,
    COALESCE(activity.n_live_tup, 0)::numeric(38, 0) AS estimated_visible_rows,
    NULL::text AS risk_event,
    NULL::numeric(12, 2) AS vacuum_sort_benefit,
    NULL::timestamp AS create_time
FROM pg_class AS relation
JOIN pg_namespace AS namespace ON namespace.oid = relation.relnamespace
LEFT JOIN pg_internal.table_attributes AS attributes ON attributes.table_id = relation.oid
LEFT JOIN pg_attribute AS distribution
    ON distribution.attrelid = relation.oid AND distribution.attnum = attributes.distkey
LEFT JOIN pg_attribute AS first_sortkey
    ON first_sortkey.attrelid = relation.oid AND first_sortkey.attnum = attributes.sortkeys[1]
LEFT JOIN pg_stat_all_tables AS activity ON activity.relid = relation.oid
WHERE relation.relkind IN ('r', 'm') AND namespace.nspname NOT LIKE 'pg!_%' ESCAPE '!'
    AND namespace.nspname <> 'information_schema'
    -- VACUUM gives the file of an emptied table back; numbers of rows are there only some time after the rows.
    AND pg_relation_size(relation.oid) > 0;

-- One row a table, as there is one slice; tbl of STL_LOAD_ERRORS is its id.
CREATE OR REPLACE VIEW pg_catalog.stv_tbl_perm AS
SELECT
    0 AS slice,
    relation.oid::integer AS id,
    relation.relname::character(72) AS name,
    GREATEST(relation.reltuples, 0)::bigint AS rows,
    CASE relation.relpersistence WHEN 't' THEN 1 ELSE 0 END AS temp,
    (SELECT oid FROM pg_database WHERE datname = current_database())::integer AS db_id,
    -- What has come since the last VACUUM is not sorted.
    GREATEST(
        relation.reltuples::bigint - CASE WHEN attributes.sortkeys <> '{}' THEN COALESCE(activity.n_ins_since_vacuum, 0) ELSE 0 END,
        0
    ) AS sorted_rows,
    1 AS backup -- every table is in the snapshots
FROM pg_class AS relation
JOIN pg_namespace AS namespace ON namespace.oid = relation.relnamespace
LEFT JOIN pg_internal.table_attributes AS attributes ON attributes.table_id = relation.oid
LEFT JOIN pg_stat_all_tables AS activity ON activity.relid = relation.oid
WHERE relation.relkind = 'r' AND namespace.nspname NOT IN ('pg_catalog', 'pg_internal', 'information_schema');

CREATE OR REPLACE VIEW pg_catalog.svv_transactions AS
SELECT
    activity.usename::text AS txn_owner,
    activity.datname::text AS txn_db,
    COALESCE(activity.backend_xid, activity.backend_xmin)::text::bigint AS xid,
    activity.pid,
    activity.xact_start AT TIME ZONE 'UTC' AS txn_start,
    CASE locks.locktype WHEN 'advisory' THEN 'ShareRowExclusiveLock' ELSE locks.mode END AS lock_mode,
    CASE WHEN locks.locktype IN ('relation', 'advisory') THEN 'relation' ELSE 'transactionid' END
        AS lockable_object_type,
    -- What INSERT and COPY wait for, see write_in_turn().
    CASE locks.locktype WHEN 'advisory' THEN locks.objid ELSE locks.relation END::integer AS relation,
    locks.granted
FROM pg_locks AS locks
JOIN pg_stat_activity AS activity ON activity.pid = locks.pid
WHERE activity.datname = current_database() AND activity.pid <> pg_backend_pid();

-- Declared keys where tools look for them; the constraints that count bytes are nobody's business.
CREATE OR REPLACE VIEW information_schema.table_constraints AS
SELECT
    current_database()::information_schema.sql_identifier AS constraint_catalog,
    namespace.nspname::information_schema.sql_identifier AS constraint_schema,
    keys.name::information_schema.sql_identifier AS constraint_name,
    current_database()::information_schema.sql_identifier AS table_catalog,
    namespace.nspname::information_schema.sql_identifier AS table_schema,
    relation.relname::information_schema.sql_identifier AS table_name,
    keys.kind::information_schema.character_data AS constraint_type,
    'NO'::information_schema.yes_or_no AS is_deferrable,
    'NO'::information_schema.yes_or_no AS initially_deferred,
    'NO'::information_schema.yes_or_no AS enforced,
    NULL::information_schema.yes_or_no AS nulls_distinct
FROM pg_internal.declared_keys AS keys
JOIN pg_class AS relation ON relation.oid = keys.table_id
JOIN pg_namespace AS namespace ON namespace.oid = relation.relnamespace;

CREATE OR REPLACE VIEW information_schema.key_column_usage AS
SELECT
    current_database()::information_schema.sql_identifier AS constraint_catalog,
    namespace.nspname::information_schema.sql_identifier AS constraint_schema,
    keys.name::information_schema.sql_identifier AS constraint_name,
    current_database()::information_schema.sql_identifier AS table_catalog,
    namespace.nspname::information_schema.sql_identifier AS table_schema,
    relation.relname::information_schema.sql_identifier AS table_name,
    attribute.attname::information_schema.sql_identifier AS column_name,
    listed.place::information_schema.cardinal_number AS ordinal_position,
    CASE WHEN keys.kind = 'FOREIGN KEY' THEN listed.place END::information_schema.cardinal_number
        AS position_in_unique_constraint
FROM pg_internal.declared_keys AS keys
JOIN pg_class AS relation ON relation.oid = keys.table_id
JOIN pg_namespace AS namespace ON namespace.oid = relation.relnamespace
CROSS JOIN unnest(keys.columns) WITH ORDINALITY AS listed (number, place)
JOIN pg_attribute AS attribute ON attribute.attrelid = relation.oid AND attribute.attnum = listed.number;

GRANT SELECT ON pg_catalog.pg_table_def, pg_catalog.svv_redshift_columns, pg_catalog.svv_redshift_tables,
    pg_catalog.svv_transactions, information_schema.table_constraints, information_schema.key_column_usage TO PUBLIC;
-- "Visible only to superusers" (their pages in the guide), who may grant SELECT on them: catalog/__init__.py.
REVOKE SELECT ON pg_catalog.svv_table_info, pg_catalog.stv_tbl_perm FROM PUBLIC;
