-- What the logs have in common: those of COPYs and UNLOADs (31_transfer_log.sql) and of statements (query_log.sql).

-- How long after it happened something appears in the SYS views; every start of the endpoint sets it.
CREATE TABLE IF NOT EXISTS pg_internal.sys_lag (lag interval NOT NULL);

CREATE OR REPLACE VIEW pg_internal.sys_seen AS
SELECT clock_timestamp() AT TIME ZONE 'UTC' - lag AS up_to FROM pg_internal.sys_lag;

CREATE OR REPLACE FUNCTION pg_internal.microseconds(passed interval) RETURNS bigint
LANGUAGE sql IMMUTABLE
RETURN (extract(EPOCH FROM passed) * 1000000)::bigint;

-- These files run when a new version of the endpoint starts: the logs begin anew, the numbers go on.
SELECT lo_unlink(oid) FROM pg_largeobject_metadata WHERE oid >= 1000000000;

-- "The query identifiers recorded in the SYS system views are different from those recorded in the provisioned-only
-- views" (Redshift Database Developer Guide, "System tables and views reference"): two numbers that never coincide.
-- An endpoint numbers all its statements, loads among them, and takes the numbers in blocks of 10,000.
CREATE SEQUENCE IF NOT EXISTS pg_internal.query_id AS integer START 1000;
ALTER SEQUENCE pg_internal.query_id INCREMENT BY 10000 MAXVALUE 499980000;
DROP SEQUENCE IF EXISTS pg_internal.sys_query_id;
CREATE OR REPLACE FUNCTION pg_internal.sys_query_id(query_id integer) RETURNS integer
LANGUAGE sql IMMUTABLE
RETURN query_id + 499999000;

-- Sessions run in REPEATABLE READ and would not see what is written after their snapshot, while Redshift's
-- logs are outside of any transaction: pg_last_copy_count() right behind the COPY must answer. A large object
-- opened for writing is read as it is now, whatever the snapshot. So the newest entries of a log are also kept as
-- such, as JSON, under a first number + their own, as long as a snapshot may be older; a sequence, too,
-- is outside of any transaction and tells how far to look.
CREATE OR REPLACE FUNCTION pg_internal.keep_document(
    first bigint, number integer, most integer, lock integer, document jsonb
) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
    SELECT lo_from_bytea((first + number)::oid, convert_to(document::text, 'UTF8'));

    -- Two that end at once must not both unlink the same object: the second looks after the first has ended.
    SELECT pg_advisory_xact_lock(5439, lock);

    SELECT lo_unlink(oid) FROM pg_largeobject_metadata
    WHERE oid BETWEEN first::oid AND (first + number - most)::oid;
$body$;

-- NULL where there is no such object: what would write it still runs, or has never ended.
CREATE OR REPLACE FUNCTION pg_internal.kept_document(place oid) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    descriptor integer;
    length integer;
    document jsonb;
BEGIN
    -- A transaction that may not write may not open an object for writing; nor can it have run a COPY.
    IF current_setting('transaction_read_only')::boolean THEN
        RETURN NULL;
    END IF;
    descriptor := lo_open(place, 131072); -- INV_WRITE
    length := lo_lseek(descriptor, 0, 2); -- SEEK_END
    PERFORM lo_lseek(descriptor, 0, 0);
    document := convert_from(loread(descriptor, length), 'UTF8')::jsonb;
    PERFORM lo_close(descriptor);
    RETURN document;
EXCEPTION WHEN undefined_object THEN
    RETURN NULL;
END $body$;
