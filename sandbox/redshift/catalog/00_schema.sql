-- What the endpoint itself needs lives in pg_internal, which no client has on its search path; functions and
-- views that clients call by their Redshift names live in pg_catalog, which is searched whatever the path is.
-- No function body holds a backslash: it would be read with the client's setting of
-- standard_conforming_strings. Plain expressions (RETURN) are inlined into the query.
-- Both belong to redshift_catalog, which may not log in and has no right beyond them (rights.sql). Code that runs
-- with its owner's rights (SECURITY DEFINER) fixes its search_path, or its caller would choose what it calls. All
-- else runs with its caller's rights; SET there would keep it from being inlined.
CREATE SCHEMA IF NOT EXISTS pg_internal;
GRANT USAGE ON SCHEMA pg_internal TO PUBLIC;

CREATE OR REPLACE FUNCTION pg_catalog.version() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN 'PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2 20041017'
    ' (Red Hat 3.4.2-6.fc3), Redshift 1.0.12103';
