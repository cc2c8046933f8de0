-- Users. A role named IAM:<user> or IAMA:<user> only keeps a temporary password of <user>; Redshift has no such
-- user, nor one that writes its logs. The columns are PostgreSQL's.
CREATE OR REPLACE VIEW pg_catalog.pg_user AS
SELECT
    usename,
    usesysid,
    usecreatedb,
    usesuper,
    userepl,
    usebypassrls,
    '********'::text AS passwd,
    valuntil,
    useconfig
FROM pg_catalog.pg_shadow
WHERE usename !~ '^IAMA?:' AND usename <> 'redshift_log';
