-- PostgreSQL's catalogs as Redshift has them: what tables declare is in their columns, and declared keys are
-- constraints with an index. The dialect lets statements read these in place of PostgreSQL's own
-- (dialect/old_catalog.py). The indexes and checks that the endpoint makes for itself are not in them.

-- A key's number as a constraint, and as an index where it is one. PostgreSQL's own numbers do not come so far.
CREATE SEQUENCE IF NOT EXISTS pg_internal.key_id MINVALUE 2000000000 MAXVALUE 2147483647;
ALTER TABLE pg_internal.declared_keys
ADD COLUMN IF NOT EXISTS key_id oid NOT NULL DEFAULT nextval('pg_internal.key_id');

-- Keys of tables that are still there.
CREATE OR REPLACE VIEW pg_internal.keys AS
SELECT
    keys.key_id,
    keys.table_id,
    keys.name,
    CASE keys.kind WHEN 'PRIMARY KEY' THEN 'p' WHEN 'UNIQUE' THEN 'u' ELSE 'f' END::"char" AS contype,
    keys.columns,
    keys.referenced_table,
    -- "If no columns are listed, the primary key of the referenced table is used" (CREATE TABLE, REFERENCES).
    CASE WHEN keys.referenced_table IS NOT NULL THEN COALESCE(
        NULLIF(keys.referenced_columns, '{}'),
        (
            SELECT parent.columns FROM pg_internal.declared_keys AS parent
            WHERE parent.table_id = keys.referenced_table AND parent.kind = 'PRIMARY KEY'
        )
    ) END AS referenced_columns,
    relation.relnamespace,
    relation.relowner,
    -- The primary key that a foreign key refers to.
    (
        SELECT parent.key_id FROM pg_internal.declared_keys AS parent
        WHERE parent.table_id = keys.referenced_table AND parent.kind = 'PRIMARY KEY'
    ) AS referenced_key
FROM pg_internal.declared_keys AS keys
JOIN pg_catalog.pg_class AS relation ON relation.oid = keys.table_id
WHERE
    keys.referenced_table IS NULL
    OR EXISTS (SELECT FROM pg_catalog.pg_class AS parent WHERE parent.oid = keys.referenced_table);

CREATE OR REPLACE FUNCTION pg_internal.column_names(table_id oid, numbers smallint[]) RETURNS text
LANGUAGE sql STABLE
RETURN (
    SELECT string_agg(quote_ident(attribute.attname), ', ' ORDER BY listed.place)
    FROM unnest(numbers) WITH ORDINALITY AS listed (number, place)
    JOIN pg_catalog.pg_attribute AS attribute
        ON attribute.attrelid = table_id AND attribute.attnum = listed.number
);

CREATE OR REPLACE FUNCTION pg_internal.pg_get_constraintdef(id oid, pretty boolean DEFAULT false) RETURNS text
LANGUAGE sql STABLE
RETURN COALESCE(
    (
        SELECT CASE contype
            WHEN 'p' THEN format('PRIMARY KEY (%s)', pg_internal.column_names(table_id, columns))
            WHEN 'u' THEN format('UNIQUE (%s)', pg_internal.column_names(table_id, columns))
            ELSE format(
                'FOREIGN KEY (%s) REFERENCES %s(%s)',
                pg_internal.column_names(table_id, columns), referenced_table::regclass,
                pg_internal.column_names(referenced_table, referenced_columns)
            )
        END
        FROM pg_internal.keys WHERE key_id = id
    ),
    pg_catalog.pg_get_constraintdef(id, pretty)
);

CREATE OR REPLACE FUNCTION pg_internal.pg_get_indexdef(
    id oid, index_column integer DEFAULT 0, pretty boolean DEFAULT false
) RETURNS text LANGUAGE sql STABLE
RETURN COALESCE(
    (
        SELECT CASE index_column
            WHEN 0 THEN format(
                'CREATE UNIQUE INDEX %I ON %s USING btree (%s)',
                name, table_id::regclass, pg_internal.column_names(table_id, columns)
            )
            ELSE pg_internal.column_names(table_id, columns[index_column:index_column])
        END
        FROM pg_internal.keys WHERE key_id = id
    ),
    pg_catalog.pg_get_indexdef(id, index_column, pretty)
);

-- Numbers of encodings. FORMAT_ENCODING() alone is seen in public code, and 0 and 128 for "none": the others are
-- UNCONFIRMED.
CREATE TABLE IF NOT EXISTS pg_internal.encoding_name (number integer PRIMARY KEY, name text NOT NULL UNIQUE);
DELETE FROM pg_internal.encoding_name;
INSERT INTO pg_internal.encoding_name
SELECT place - 1, name
FROM unnest(ARRAY[
    'none', 'bytedict', 'delta', 'delta32k', 'lzo', 'mostly8', 'mostly16', 'mostly32', 'runlength', 'text255',
    'text32k', 'zstd', 'az64'
]) WITH ORDINALITY AS listed (name, place);
GRANT SELECT ON pg_internal.encoding_name TO PUBLIC;

CREATE OR REPLACE FUNCTION pg_catalog.format_encoding(number integer) RETURNS character(32)
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (
    SELECT name FROM pg_internal.encoding_name AS known
    WHERE known.number = CASE format_encoding.number WHEN 128 THEN 0 ELSE format_encoding.number END
);

-- 0 EVEN, 1 KEY, 8 ALL, 9 AUTO (guide, PG_CLASS_INFO: the example's CASE and its rows).
CREATE OR REPLACE FUNCTION pg_internal.diststyle_number(attributes pg_internal.table_attributes) RETURNS smallint
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE
    WHEN attributes.distkey IS NOT NULL THEN 1
    WHEN attributes.diststyle = 'even' THEN 0
    WHEN attributes.diststyle = 'all' THEN 8
    ELSE 9
END::smallint;

CREATE OR REPLACE VIEW pg_internal.pg_class AS
SELECT
    relation.oid,
    relation.relname,
    relation.relnamespace,
    relation.reltype,
    relation.reloftype,
    relation.relowner,
    relation.relam,
    relation.relfilenode,
    relation.reltablespace,
    relation.relpages,
    relation.reltuples,
    relation.relallvisible,
    relation.reltoastrelid,
    (relation.relhasindex AND relation.relnamespace = 'pg_catalog'::regnamespace) OR EXISTS (
        SELECT FROM pg_internal.declared_keys AS keys
        WHERE keys.table_id = relation.oid AND keys.kind <> 'FOREIGN KEY'
    ) AS relhasindex,
    relation.relisshared,
    relation.relpersistence,
    CASE relation.relkind WHEN 'm' THEN 'v' ELSE relation.relkind END AS relkind,
    relation.relnatts,
    0::smallint AS relchecks, -- "CHECK constraints" are not supported (CREATE TABLE)
    relation.relhasrules,
    EXISTS (
        SELECT FROM pg_internal.declared_keys AS keys WHERE keys.kind = 'FOREIGN KEY'
            AND (keys.table_id = relation.oid OR keys.referenced_table = relation.oid)
    ) AS relhastriggers, -- how PostgreSQL says that there are foreign keys
    relation.relhassubclass,
    relation.relrowsecurity,
    relation.relforcerowsecurity,
    relation.relispopulated,
    relation.relreplident,
    relation.relispartition,
    relation.relrewrite,
    relation.relfrozenxid,
    relation.relminmxid,
    relation.relacl,
    relation.reloptions,
    relation.relpartbound,
    CASE WHEN relation.relkind = 'r' THEN pg_internal.diststyle_number(attributes) ELSE 0::smallint END
        AS reldiststyle
FROM pg_catalog.pg_class AS relation
LEFT JOIN pg_internal.table_attributes AS attributes ON attributes.table_id = relation.oid
WHERE relation.relnamespace <> 'pg_internal'::regnamespace AND NOT EXISTS (
    SELECT FROM pg_internal.table_attributes AS owner WHERE owner.sortkey_index = relation.oid
)
UNION ALL
SELECT
    key_id, name::name, relnamespace, 0, 0, relowner, 403, 0, 0, 0, 0, 0, 0, false, false, 'p', 'i',
    cardinality(columns)::smallint, 0, false, false, false, false, false, true, 'n', false, 0, '0'::xid,
    '0'::xid, NULL, NULL, NULL, 0::smallint
FROM pg_internal.keys
WHERE contype <> 'f';

CREATE OR REPLACE VIEW pg_internal.pg_attribute AS
SELECT
    attribute.attrelid,
    attribute.attname,
    attribute.atttypid,
    attribute.attlen,
    attribute.attnum,
    attribute.attcacheoff,
    attribute.atttypmod,
    attribute.attndims,
    attribute.attbyval,
    attribute.attalign,
    attribute.attstorage,
    attribute.attcompression,
    attribute.attnotnull,
    attribute.atthasdef OR attribute.attidentity <> '' AS atthasdef,
    attribute.atthasmissing,
    attribute.attidentity,
    attribute.attgenerated,
    attribute.attisdropped,
    attribute.attislocal,
    attribute.attinhcount,
    attribute.attstattarget,
    attribute.attcollation,
    attribute.attacl,
    attribute.attoptions,
    attribute.attfdwoptions,
    CASE WHEN relation.relkind = 'r' AND attribute.attnum > 0 THEN (
        SELECT number FROM pg_internal.encoding_name WHERE name = pg_internal.encoding(attributes, attribute)
    ) ELSE 0 END::smallint AS attencodingtype,
    COALESCE(attributes.distkey = attribute.attnum, false) AS attisdistkey,
    pg_internal.sortkey_place(attributes, attribute.attnum) AS attsortkeyord
FROM pg_catalog.pg_attribute AS attribute
JOIN pg_catalog.pg_class AS relation ON relation.oid = attribute.attrelid
LEFT JOIN pg_internal.table_attributes AS attributes ON attributes.table_id = attribute.attrelid
WHERE relation.relnamespace <> 'pg_internal'::regnamespace AND NOT EXISTS (
    SELECT FROM pg_internal.late_binding_view AS late WHERE late.view_id = attribute.attrelid
)
UNION ALL
SELECT
    keys.key_id, attribute.attname, attribute.atttypid, attribute.attlen, listed.place::smallint,
    attribute.attcacheoff, attribute.atttypmod, attribute.attndims, attribute.attbyval, attribute.attalign,
    attribute.attstorage, attribute.attcompression, false, false, false, '', '', false, true, 0,
    attribute.attstattarget, attribute.attcollation, NULL, NULL, NULL, 0::smallint, false, 0
FROM pg_internal.keys AS keys
CROSS JOIN unnest(keys.columns) WITH ORDINALITY AS listed (number, place)
JOIN pg_catalog.pg_attribute AS attribute
    ON attribute.attrelid = keys.table_id AND attribute.attnum = listed.number
WHERE keys.contype <> 'f';

CREATE OR REPLACE VIEW pg_internal.pg_attrdef AS
SELECT
    preset.oid,
    preset.adrelid,
    preset.adnum,
    preset.adbin,
    pg_catalog.pg_get_expr(preset.adbin, preset.adrelid) AS adsrc
FROM pg_catalog.pg_attrdef AS preset
JOIN pg_catalog.pg_class AS relation ON relation.oid = preset.adrelid
WHERE relation.relnamespace <> 'pg_internal'::regnamespace
UNION ALL
SELECT 0, table_id, ordinal_position, NULL, column_default
FROM pg_internal.table_columns
WHERE is_identity;

CREATE OR REPLACE VIEW pg_internal.pg_constraint AS
SELECT
    key_id AS oid,
    name::name AS conname,
    relnamespace AS connamespace,
    contype,
    false AS condeferrable,
    false AS condeferred,
    true AS convalidated,
    table_id AS conrelid,
    0::oid AS contypid,
    COALESCE(CASE WHEN contype = 'f' THEN referenced_key ELSE key_id END, 0) AS conindid,
    0::oid AS conparentid,
    COALESCE(referenced_table, 0) AS confrelid,
    CASE contype WHEN 'f' THEN 'a' ELSE ' ' END::"char" AS confupdtype,
    CASE contype WHEN 'f' THEN 'a' ELSE ' ' END::"char" AS confdeltype,
    CASE contype WHEN 'f' THEN 'u' ELSE ' ' END::"char" AS confmatchtype,
    true AS conislocal,
    0::smallint AS coninhcount,
    true AS connoinherit,
    columns AS conkey,
    referenced_columns AS confkey,
    NULL::oid[] AS conpfeqop,
    NULL::oid[] AS conppeqop,
    NULL::oid[] AS conffeqop,
    NULL::smallint[] AS confdelsetcols,
    NULL::oid[] AS conexclop,
    NULL::pg_node_tree AS conbin,
    NULL::text AS consrc
FROM pg_internal.keys;

CREATE OR REPLACE VIEW pg_internal.pg_index AS
SELECT
    index.indexrelid,
    index.indrelid,
    index.indnatts,
    index.indnkeyatts,
    index.indisunique,
    index.indnullsnotdistinct,
    index.indisprimary,
    index.indisexclusion,
    index.indimmediate,
    index.indisclustered,
    index.indisvalid,
    index.indcheckxmin,
    index.indisready,
    index.indislive,
    index.indisreplident,
    index.indkey,
    index.indcollation,
    index.indclass,
    index.indoption,
    index.indexprs,
    index.indpred
FROM pg_catalog.pg_index AS index
WHERE NOT EXISTS (
    SELECT FROM pg_internal.table_attributes AS owner WHERE owner.sortkey_index = index.indexrelid
)
UNION ALL
SELECT
    key_id, table_id, cardinality(columns)::smallint, cardinality(columns)::smallint, true, false,
    contype = 'p', false, true, false, true, false, true, true, false,
    array_to_string(columns, ' ')::int2vector, ''::oidvector, ''::oidvector, ''::int2vector, NULL, NULL
FROM pg_internal.keys
WHERE contype <> 'f';

CREATE OR REPLACE VIEW pg_internal.pg_depend AS
SELECT classid, objid, objsubid, refclassid, refobjid, refobjsubid, deptype
FROM pg_catalog.pg_depend
UNION ALL
SELECT 'pg_constraint'::regclass, key_id, 0, 'pg_class'::regclass, referenced_key, 0, 'n'
FROM pg_internal.keys
WHERE referenced_key IS NOT NULL;

-- PostgreSQL 8.0's names beside those of today (AWS's v_check_transaction_locks reads procpid and transaction).
CREATE OR REPLACE VIEW pg_internal.pg_stat_activity AS
SELECT activity.*, activity.pid AS procpid, activity.query AS current_query
FROM pg_catalog.pg_stat_activity AS activity;

CREATE OR REPLACE VIEW pg_internal.pg_locks AS
SELECT locks.*, locks.transactionid AS transaction
FROM pg_catalog.pg_locks AS locks;

-- Whose objects get the privileges is called defacluser (guide, PG_DEFAULT_ACL).
CREATE OR REPLACE VIEW pg_internal.pg_default_acl AS
SELECT presets.*, presets.defaclrole AS defacluser
FROM pg_catalog.pg_default_acl AS presets;

-- Columns of late-binding views are in no catalog: PG_GET_LATE_BINDING_VIEW_COLS() lists them.
CREATE OR REPLACE VIEW pg_internal.columns AS
SELECT listed.*
FROM information_schema.columns AS listed
WHERE NOT EXISTS (
    SELECT
    FROM pg_internal.late_binding_view AS late
    JOIN pg_catalog.pg_class AS relation ON relation.oid = late.view_id
    JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = relation.relnamespace
    WHERE namespace.nspname = listed.table_schema AND relation.relname = listed.table_name
);

GRANT SELECT ON
    pg_internal.keys, pg_internal.pg_class, pg_internal.pg_attribute, pg_internal.pg_attrdef,
    pg_internal.pg_constraint, pg_internal.pg_index, pg_internal.pg_depend, pg_internal.columns,
    pg_internal.pg_stat_activity, pg_internal.pg_locks, pg_internal.pg_default_acl
TO PUBLIC;
