-- TRY_CAST (Database Developer Guide, "TRY_CAST function"): NULL where a conversion fails. One that there is none of
-- stays an error. The dialect gives the target as NULL of its type; the texts among them need none of this.
DO $body$
DECLARE
    target text;
BEGIN
    FOREACH target IN ARRAY ARRAY[
        'smallint', 'integer', 'bigint', 'numeric', 'real', 'double precision', 'boolean', 'date', 'timestamp',
        'timestamptz', 'time', 'timetz'
    ] LOOP
        EXECUTE format(
            $sql$CREATE OR REPLACE FUNCTION pg_internal.try_cast(value anyelement, target %1$s) RETURNS %1$s
            LANGUAGE plpgsql STABLE PARALLEL UNSAFE AS $function$
            BEGIN
                RETURN value::%1$s;
            EXCEPTION WHEN data_exception THEN
                RETURN NULL;
            END $function$;
            CREATE OR REPLACE FUNCTION pg_internal.try_cast(value text, target %1$s) RETURNS %1$s
            LANGUAGE plpgsql STABLE PARALLEL UNSAFE AS $function$
            BEGIN
                RETURN value::%1$s;
            EXCEPTION WHEN data_exception THEN
                RETURN NULL;
            END $function$ $sql$,
            target
        );
    END LOOP;
END $body$;

-- The page's list has no way from text to BOOLEAN.
CREATE OR REPLACE FUNCTION pg_internal.try_cast(value text, target boolean) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $body$
BEGIN
    RAISE EXCEPTION 'cannot cast type character varying to boolean' USING ERRCODE = '42846';
END $body$;

-- DECIMAL(p, s): what does not fit is NULL, too.
CREATE OR REPLACE FUNCTION pg_internal.fitting(value numeric, digits integer, places integer) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE WHEN abs(round(value, places)) < 10::numeric ^ (digits - places) THEN round(value, places) END;
