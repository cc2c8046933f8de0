-- What SHOW lists, with the columns of its pages (Database Developer Guide, SHOW TABLES, SHOW COLUMNS, SHOW SCHEMAS, SHOW
-- DATABASES, SHOW GRANTS); the dialect makes queries of these. One sees what one owns, or may use and read.

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
    obj_description(relation.oid, 'pg_class')::varchar AS remarks
FROM pg_catalog.pg_class AS relation
INNER JOIN pg_catalog.pg_namespace AS schema ON schema.oid = relnamespace
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
    column_name::varchar AS column_name,
    ordinal_position::integer AS ordinal_position,
    column_default::varchar AS column_default,
    is_nullable::varchar AS is_nullable,
    data_type::varchar AS data_type,
    character_maximum_length::integer AS character_maximum_length,
    numeric_precision::integer AS numeric_precision,
    numeric_scale::integer AS numeric_scale,
    col_description(format('%I.%I', table_schema, c.table_name)::regclass, ordinal_position)::varchar AS remarks
FROM information_schema.columns AS c
INNER JOIN pg_internal.show_tables AS t ON t.schema_name = c.table_schema AND t.table_name = c.table_name;

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
    granted.object_type::varchar AS privilege_scope
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
    pg_internal.show_grants, pg_internal.identity
TO PUBLIC;
