-- Who may what, once everything is there. Rights that PostgreSQL checks hold whatever reaches it.

-- Redshift has no large objects; the logs keep their newest entries in them.
DO $body$
DECLARE
    found regprocedure;
BEGIN
    FOR found IN
        SELECT oid FROM pg_catalog.pg_proc
        WHERE pronamespace = 'pg_catalog'::regnamespace AND proname ~ '^(lo_|loread$|lowrite$)'
    LOOP
        EXECUTE pg_catalog.format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', found);
        EXECUTE pg_catalog.format('GRANT EXECUTE ON FUNCTION %s TO redshift_catalog', found);
    END LOOP;
END $body$;

-- Everything of the catalog belongs to a role without rights elsewhere. Definer functions run as it. What the event
-- trigger below calls stays the superuser's, who calls it, too.
DO $body$
DECLARE
    found record;
BEGIN
    ALTER SCHEMA pg_internal OWNER TO redshift_catalog;
    FOR found IN
        SELECT
            relation.oid::regclass::text AS name,
            CASE relkind
                WHEN 'v' THEN 'VIEW' WHEN 'S' THEN 'SEQUENCE' WHEN 'c' THEN 'TYPE' ELSE 'TABLE'
            END AS kind
        FROM pg_catalog.pg_class AS relation
        WHERE relkind IN ('r', 'v', 'S', 'c') AND (
            relnamespace = 'pg_internal'::regnamespace
            OR relnamespace = 'pg_catalog'::regnamespace AND relation.oid >= 16384
        )
    LOOP
        EXECUTE pg_catalog.format('ALTER %s %s OWNER TO redshift_catalog', found.kind, found.name);
    END LOOP;
    FOR found IN
        SELECT oid::regprocedure::text AS name FROM pg_catalog.pg_proc
        WHERE prorettype <> 'event_trigger'::regtype AND (
            pronamespace = 'pg_internal'::regnamespace
            OR pronamespace = 'pg_catalog'::regnamespace AND oid >= 16384
        )
    LOOP
        EXECUTE pg_catalog.format('ALTER ROUTINE %s OWNER TO redshift_catalog', found.name);
    END LOOP;
END $body$;

-- The connections of the logs of transfers and of statements write these and nothing else.
GRANT USAGE ON SCHEMA pg_internal TO redshift_log;
GRANT SELECT, INSERT ON pg_internal.transfer, pg_internal.load_error, pg_internal.load_error_field TO redshift_log;
GRANT USAGE ON SEQUENCE pg_internal.query_id, pg_internal.transfer_number, pg_internal.batch TO redshift_log;
REVOKE EXECUTE ON FUNCTION
    pg_internal.record_transfer, pg_internal.tidy_transfers, pg_internal.record_queries, pg_internal.record_running,
    pg_internal.tidy_queries, pg_internal.kept_statements, pg_internal.keep_document, pg_internal.kept_document
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    pg_internal.record_transfer, pg_internal.tidy_transfers, pg_internal.record_queries, pg_internal.record_running,
    pg_internal.tidy_queries
TO redshift_log;

-- What Redshift has not, PostgreSQL makes for superusers only: each can carry code that runs when others use it,
-- and CREATE EXTENSION runs a script as the superuser.
CREATE OR REPLACE FUNCTION pg_internal.refuse_object() RETURNS event_trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    IF NOT current_setting('is_superuser')::boolean THEN
        RAISE EXCEPTION 'permission denied: % is not for users of the warehouse', tg_tag USING ERRCODE = '42501';
    END IF;
END $body$;
DROP EVENT TRIGGER IF EXISTS redshift_has_none;
CREATE EVENT TRIGGER redshift_has_none ON ddl_command_start WHEN TAG IN (
    'CREATE AGGREGATE', 'CREATE CAST', 'CREATE COLLATION', 'CREATE CONVERSION', 'CREATE DOMAIN', 'CREATE EXTENSION',
    'CREATE FOREIGN DATA WRAPPER', 'CREATE FOREIGN TABLE', 'CREATE FUNCTION', 'CREATE LANGUAGE', 'CREATE OPERATOR',
    'CREATE OPERATOR CLASS', 'CREATE OPERATOR FAMILY', 'CREATE POLICY', 'CREATE PROCEDURE', 'CREATE PUBLICATION',
    'CREATE RULE', 'CREATE SERVER', 'CREATE SUBSCRIPTION', 'CREATE TEXT SEARCH CONFIGURATION',
    'CREATE TEXT SEARCH DICTIONARY', 'CREATE TRIGGER', 'CREATE TYPE'
) EXECUTE FUNCTION pg_internal.refuse_object();
