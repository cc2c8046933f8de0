-- Users. A role named IAM:<user> or IAMA:<user> only keeps a temporary password of <user>; Redshift has no such
-- user, nor one that writes its logs. One that becomes no other is the whole name of a user of Serverless. The
-- columns are PostgreSQL's.
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
WHERE
    NOT (usename ~ '^IAMA?:' AND EXISTS (SELECT 1 FROM unnest(useconfig) AS setting WHERE setting LIKE 'role=%'))
    AND usename <> 'redshift_log';
