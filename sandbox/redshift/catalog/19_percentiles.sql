-- PERCENTILE_CONT, PERCENTILE_DISC and MEDIAN, as aggregates and over windows (Database Developer Guide, their pages).
-- The state is the percentile, as -1 - p where the order is descending, and then the values, dates and times as microseconds since 1970.

CREATE OR REPLACE FUNCTION pg_internal.sorted(state anyarray) RETURNS anyarray
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT array_agg(value ORDER BY value) FROM unnest(state[2:]) AS value';

-- The formula of PERCENTILE_CONT's page. The result has the scale of its values and at least one digit behind the
-- point, as in the examples there; UNCONFIRMED beyond them.
CREATE OR REPLACE FUNCTION pg_internal.interpolated(state numeric[]) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $body$
DECLARE
    ordered numeric[] := pg_internal.sorted(state);
    percentile numeric := CASE WHEN state[1] < 0 THEN 2 + state[1] ELSE state[1] END;
    place numeric := 1 + percentile * (cardinality(ordered) - 1);
    low numeric := ordered[floor(place)];
    high numeric := ordered[ceil(place)];
BEGIN
    RETURN round(low + (place - floor(place)) * (high - low), greatest(scale(low), scale(high), 1));
END $body$;

CREATE OR REPLACE FUNCTION pg_internal.interpolated(state double precision[]) RETURNS double precision
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $body$
DECLARE
    ordered double precision[] := pg_internal.sorted(state);
    percentile double precision := CASE WHEN state[1] < 0 THEN 2 + state[1] ELSE state[1] END;
    place double precision := 1 + percentile * (cardinality(ordered) - 1);
    low double precision := ordered[floor(place)];
    high double precision := ordered[ceil(place)];
BEGIN
    RETURN low + (place - floor(place)) * (high - low);
END $body$;

CREATE OR REPLACE FUNCTION pg_internal.reached(state anyarray) RETURNS anyelement
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $body$
DECLARE
    ordered state%TYPE := pg_internal.sorted(state);
    percentile numeric := CASE WHEN state[1] < 0 THEN -1 - state[1] ELSE state[1] END;
    place integer := greatest(1, ceil(percentile * cardinality(ordered)));
BEGIN
    RETURN ordered[CASE WHEN state[1] < 0 THEN cardinality(ordered) + 1 - place ELSE place END];
END $body$;

CREATE OR REPLACE FUNCTION pg_internal.microseconds(moment timestamp) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN trunc(EXTRACT(epoch FROM moment) * 1000000);

CREATE OR REPLACE FUNCTION pg_internal.moment(microseconds numeric) RETURNS timestamp
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN TIMESTAMP 'epoch' + round(microseconds)::bigint * INTERVAL '1 microsecond';

-- For each type: what its values are counted in, how they are written in it, and how a result is read.
DO $body$
DECLARE
    made record;
    name text;
    returned text;
BEGIN
    FOR made IN SELECT * FROM (VALUES
        ('smallint', 'numeric', 'value', '%s'),
        ('integer', 'numeric', 'value', '%s'),
        ('bigint', 'numeric', 'value', '%s'),
        ('numeric', 'numeric', 'value', '%s'),
        ('real', 'double precision', 'value', '%s'),
        ('double precision', 'double precision', 'value', '%s'),
        ('date', 'numeric', 'pg_internal.microseconds(value)', 'pg_internal.moment(%s)'),
        ('timestamp', 'numeric', 'pg_internal.microseconds(value)', 'pg_internal.moment(%s)'),
        (
            'timestamptz', 'numeric', 'pg_internal.microseconds(value AT TIME ZONE ''UTC'')',
            'pg_internal.moment(%s) AT TIME ZONE ''UTC'''
        )
    ) AS _ (given, counted, written, read)
    LOOP
        EXECUTE format(
            $sql$CREATE OR REPLACE FUNCTION pg_internal.collect(
                state %2$s[], value %1$s, percentile %2$s, descending boolean
            ) RETURNS %2$s[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $function$
            BEGIN
                IF percentile IS NULL OR percentile NOT BETWEEN 0 AND 1 THEN
                    RAISE EXCEPTION 'percentile value %% is not between 0 and 1', percentile
                        USING ERRCODE = '22003';
                END IF;
                IF value IS NOT NULL AND state IS NULL THEN
                    state := ARRAY[CASE WHEN descending THEN -1 - percentile ELSE percentile END];
                END IF;
                IF value IS NOT NULL THEN
                    state := array_append(state, (%3$s)::%2$s);
                END IF;
                RETURN state;
            END $function$ $sql$,
            made.given, made.counted, made.written
        );
        FOREACH name IN ARRAY ARRAY['median', 'percentile_cont', 'percentile_disc'] LOOP
            returned := CASE WHEN name = 'percentile_disc' OR made.read <> '%s' THEN made.given ELSE made.counted END;
            EXECUTE format(
                $sql$CREATE OR REPLACE FUNCTION pg_internal.%1$s_of_%2$s(state %3$s[]) RETURNS %4$s
                LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN (%5$s)::%4$s;
                CREATE OR REPLACE AGGREGATE pg_internal.%1$s(%6$s, %3$s, boolean) (
                    sfunc = pg_internal.collect, stype = %3$s[], finalfunc = pg_internal.%1$s_of_%2$s
                )$sql$,
                name, replace(made.given, ' ', '_'), made.counted, returned,
                format(
                    made.read,
                    format(
                        'pg_internal.%s(state)',
                        CASE name WHEN 'percentile_disc' THEN 'reached' ELSE 'interpolated' END
                    )
                ),
                made.given
            );
        END LOOP;
    END LOOP;
END $body$;
