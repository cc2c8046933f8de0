-- Users, groups, roles, and what was granted to them (Database Developer Guide, the pages of the views' names).

-- PostgreSQL's roles as those to whom Redshift grants: roles without login are groups where a comment says so. Those
-- that are PostgreSQL's or the endpoint's own are none.
CREATE OR REPLACE VIEW pg_internal.grantee AS
SELECT
    role.oid AS id,
    role.rolname AS name,
    CASE
        WHEN role.rolcanlogin THEN 'user'
        WHEN shobj_description(role.oid, 'pg_authid') = 'group' THEN 'group'
        ELSE 'role'
    END AS type
FROM pg_catalog.pg_roles AS role
WHERE
    CASE WHEN role.rolcanlogin THEN role.rolname IN (SELECT usename FROM pg_catalog.pg_user)
    ELSE role.rolname !~ '^pg_' AND role.rolname <> 'redshift_catalog' END
UNION ALL
SELECT 0, 'public', 'public';

-- "Superusers can see all rows … Regular users can only see identities to which they have access".
CREATE OR REPLACE FUNCTION pg_internal.sees_identity(identity_id oid) RETURNS boolean
LANGUAGE sql STABLE
RETURN identity_id = 0 OR pg_has_role(current_user, identity_id, 'USAGE')
    OR pg_internal.sees_rows_of_others(current_user);

CREATE OR REPLACE VIEW pg_catalog.svv_relation_privileges AS
SELECT
    schema.nspname::text AS namespace_name,
    relation.relname::text AS relation_name,
    granted.privilege_type,
    identity.id::integer AS identity_id,
    identity.name::text AS identity_name,
    identity.type AS identity_type,
    granted.is_grantable AND identity.type = 'user' AS admin_option
FROM pg_class AS relation
JOIN pg_internal.schemas AS schema ON schema.oid = relation.relnamespace
CROSS JOIN aclexplode(relation.relacl) AS granted
JOIN pg_internal.grantee AS identity ON identity.id = granted.grantee
WHERE
    relation.relkind IN ('r', 'v', 'm') AND schema.nspname NOT IN ('pg_catalog', 'information_schema')
    AND granted.grantee <> relation.relowner
    AND granted.privilege_type IN ('INSERT', 'SELECT', 'UPDATE', 'DELETE', 'REFERENCES', 'TRUNCATE')
    AND pg_internal.sees_identity(identity.id);

CREATE OR REPLACE VIEW pg_catalog.svv_schema_privileges AS
SELECT
    schema.nspname::text AS namespace_name,
    granted.privilege_type,
    identity.id::integer AS identity_id,
    identity.name::text AS identity_name,
    identity.type AS identity_type,
    granted.is_grantable AND identity.type = 'user' AS admin_option,
    'SCHEMA'::text AS privilege_scope
FROM pg_internal.schemas AS schema
CROSS JOIN aclexplode(schema.nspacl) AS granted
JOIN pg_internal.grantee AS identity ON identity.id = granted.grantee
WHERE
    schema.nspname NOT IN ('pg_catalog', 'information_schema') AND granted.grantee <> schema.nspowner
    AND pg_internal.sees_identity(identity.id);

CREATE OR REPLACE VIEW pg_catalog.svv_database_privileges AS
SELECT
    database.datname::text AS database_name,
    CASE granted.privilege_type WHEN 'TEMPORARY' THEN 'TEMP' ELSE granted.privilege_type END AS privilege_type,
    identity.id::integer AS identity_id,
    identity.name::text AS identity_name,
    identity.type AS identity_type,
    granted.is_grantable AND identity.type = 'user' AS admin_option,
    'DATABASE'::text AS privilege_scope
FROM pg_database AS database
CROSS JOIN aclexplode(database.datacl) AS granted
JOIN pg_internal.grantee AS identity ON identity.id = granted.grantee
WHERE
    database.datname = current_database() AND granted.grantee <> database.datdba
    AND granted.privilege_type IN ('CREATE', 'TEMPORARY') AND pg_internal.sees_identity(identity.id);

-- A role's owner is who has made it: PostgreSQL's own grant of it to its maker says so.
CREATE OR REPLACE VIEW pg_catalog.svv_roles AS
SELECT
    identity.id::integer AS role_id,
    identity.name::text AS role_name,
    COALESCE((
        SELECT pg_get_userbyid(made.member)::text FROM pg_auth_members AS made
        WHERE made.roleid = identity.id AND made.grantor = 10 AND made.admin_option
        ORDER BY made.oid LIMIT 1
    ), 'rdsdb') AS role_owner,
    NULL::text AS external_id
FROM pg_internal.grantee AS identity
WHERE identity.type = 'role';

CREATE OR REPLACE VIEW pg_internal.role_member AS
SELECT
    role.id AS role_id,
    role.name::text AS role_name,
    member.id AS member_id,
    member.name::text AS member_name,
    member.type AS member_type,
    granted.admin_option
FROM pg_auth_members AS granted
JOIN pg_internal.grantee AS role ON role.id = granted.roleid AND role.type = 'role'
JOIN pg_internal.grantee AS member ON member.id = granted.member
WHERE granted.grantor <> 10 AND granted.grantor <> granted.member;

CREATE OR REPLACE VIEW pg_catalog.svv_user_grants AS
SELECT
    member_id::integer AS user_id,
    member_name AS user_name,
    role_id::integer AS role_id,
    role_name,
    admin_option
FROM pg_internal.role_member
WHERE member_type = 'user' AND (member_name = current_user OR pg_internal.sees_rows_of_others(current_user));

CREATE OR REPLACE VIEW pg_catalog.svv_role_grants AS
SELECT
    member_id::integer AS role_id,
    member_name AS role_name,
    role_id::integer AS granted_role_id,
    role_name AS granted_role_name
FROM pg_internal.role_member
WHERE member_type = 'role' AND pg_internal.sees_identity(member_id);

-- Who makes users counts as a superuser, see 22_users.sql.
CREATE OR REPLACE VIEW pg_catalog.svv_user_info AS
SELECT
    role.rolname::text AS user_name,
    role.oid::integer AS user_id,
    role.rolcreatedb AS createdb,
    role.rolsuper OR role.rolcreaterole AS superuser,
    role.rolsuper AS catalog_update,
    CASE role.rolconnlimit WHEN -1 THEN 'UNLIMITED' ELSE role.rolconnlimit::text END AS connection_limit,
    CASE WHEN pg_internal.sees_rows_of_others(role.rolname) THEN 'UNRESTRICTED' ELSE 'RESTRICTED' END AS syslog_access,
    NULL::timestamp AS last_ddl_timestamp,
    0 AS session_timeout,
    NULL::text AS external_user_id
FROM pg_roles AS role
JOIN pg_user AS known ON known.usename = role.rolname
WHERE role.rolname = current_user OR pg_internal.sees_rows_of_others(current_user);

CREATE OR REPLACE VIEW pg_catalog.pg_user_info AS
SELECT
    known.usename,
    known.usesysid::integer AS usesysid,
    known.usecreatedb,
    role.rolsuper OR role.rolcreaterole AS usesuper,
    role.rolsuper AS usecatupd,
    known.passwd,
    known.valuntil,
    known.useconfig,
    CASE role.rolconnlimit WHEN -1 THEN 'UNLIMITED' ELSE role.rolconnlimit::text END AS useconnlimit
FROM pg_user AS known
JOIN pg_roles AS role ON role.rolname = known.usename;

-- Those made before groups had a comment are none by their type: roles are listed, too.
CREATE OR REPLACE VIEW pg_catalog.pg_group AS
SELECT
    identity.name AS groname,
    identity.id AS grosysid,
    ARRAY(SELECT member FROM pg_auth_members WHERE roleid = identity.id AND grantor <> 10 AND grantor <> member)
        AS grolist
FROM pg_internal.grantee AS identity
WHERE identity.type IN ('group', 'role') AND identity.name !~ '^sys:';

GRANT SELECT ON
    pg_internal.grantee, pg_catalog.svv_relation_privileges, pg_catalog.svv_schema_privileges,
    pg_catalog.svv_database_privileges, pg_catalog.svv_roles, pg_catalog.svv_user_grants, pg_catalog.svv_role_grants,
    pg_catalog.svv_user_info, pg_catalog.pg_group
TO PUBLIC;
-- "Only superusers can see PG_USER_INFO": catalog/__init__.py lets the master user.
REVOKE SELECT ON pg_catalog.pg_user_info FROM PUBLIC;
