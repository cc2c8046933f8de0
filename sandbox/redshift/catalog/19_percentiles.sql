-- PERCENTILE_CONT, PERCENTILE_DISC and MEDIAN, as aggregates and over windows (Database Developer Guide, their pages). The
-- dialect writes pg_internal.percentile_cont(pg_internal.sample(value, percentile, descending)): of one argument, array_append
-- can collect the samples, which no function in SQL could without copying them at each row.

-- The formula of PERCENTILE_CONT's page. The result is exact, has the scale of its values or more and at least one digit
-- behind the point, as in the examples there; UNCONFIRMED beyond them.
CREATE OR REPLACE FUNCTION pg_internal.interpolated(ordered numeric[], percentile numeric, descending boolean)
RETURNS numeric LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $body$
DECLARE
    place numeric := 1 + CASE WHEN descending THEN 1 - percentile ELSE percentile END * (cardinality(ordered) - 1);
    low numeric := ordered[floor(place)];
    high numeric := ordered[ceil(place)];
    exact numeric := low + (place - floor(place)) * (high - low);
BEGIN
    RETURN round(exact, greatest(scale(low), scale(high), min_scale(exact), 1));
END $body$;

CREATE OR REPLACE FUNCTION pg_internal.interpolated(
    ordered double precision[], percentile numeric, descending boolean
) RETURNS double precision LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $body$
DECLARE
    place numeric := 1 + CASE WHEN descending THEN 1 - percentile ELSE percentile END * (cardinality(ordered) - 1);
    low double precision := ordered[floor(place)];
    high double precision := ordered[ceil(place)];
BEGIN
    RETURN low + (place - floor(place))::double precision * (high - low);
END $body$;

CREATE OR REPLACE FUNCTION pg_internal.reached(ordered anyarray, percentile numeric, descending boolean)
RETURNS anyelement LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $body$
DECLARE
    place integer := greatest(1, ceil(percentile * cardinality(ordered)));
BEGIN
    RETURN ordered[CASE WHEN descending THEN cardinality(ordered) + 1 - place ELSE place END];
END $body$;

CREATE OR REPLACE FUNCTION pg_internal.percentile_of(given numeric) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $body$
BEGIN
    IF given IS NULL OR given NOT BETWEEN 0 AND 1 THEN
        RAISE EXCEPTION 'percentile value % is not between 0 and 1', given USING ERRCODE = '22003';
    END IF;
    RETURN given;
END $body$;

-- Dates and times are interpolated as microseconds.
CREATE OR REPLACE FUNCTION pg_internal.microseconds(moment timestamp) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN trunc(EXTRACT(epoch FROM moment) * 1000000);

CREATE OR REPLACE FUNCTION pg_internal.moment(microseconds numeric) RETURNS timestamp
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN TIMESTAMP 'epoch' + round(microseconds)::bigint * INTERVAL '1 microsecond';

-- For each type: what its values are interpolated as, and how what is between two of them is read.
DO $body$
DECLARE
    made record;
    sample text;
    name text;
    found text;
    returned text;
BEGIN
    FOR made IN SELECT * FROM (VALUES
        ('smallint', 'value::numeric', 'numeric', '%s'),
        ('integer', 'value::numeric', 'numeric', '%s'),
        ('bigint', 'value::numeric', 'numeric', '%s'),
        ('numeric', 'value', 'numeric', '%s'),
        ('real', 'value::double precision', 'double precision', '%s'),
        ('double precision', 'value', 'double precision', '%s'),
        ('date', 'pg_internal.microseconds(value)', 'date', 'pg_internal.moment(%s)'),
        ('timestamp', 'pg_internal.microseconds(value)', 'timestamp', 'pg_internal.moment(%s)'),
        (
            'timestamptz', 'pg_internal.microseconds(value AT TIME ZONE ''UTC'')', 'timestamptz',
            'pg_internal.moment(%s) AT TIME ZONE ''UTC'''
        )
    ) AS _ (given, counted, returned, read)
    LOOP
        sample := format('pg_internal.sample_of_%s', replace(made.given, ' ', '_'));
        IF to_regtype(sample) IS NULL THEN
            EXECUTE format(
                'CREATE TYPE %s AS (value %s, percentile numeric, descending boolean)', sample, made.given
            );
        END IF;
        EXECUTE format(
            $sql$CREATE OR REPLACE FUNCTION pg_internal.sample(value %2$s, percentile numeric, descending boolean)
            RETURNS %1$s LANGUAGE sql IMMUTABLE PARALLEL SAFE
            RETURN ROW(value, pg_internal.percentile_of(percentile), descending)::%1$s$sql$,
            sample, made.given
        );
        FOREACH name IN ARRAY ARRAY['median', 'percentile_cont', 'percentile_disc'] LOOP
            returned := CASE name WHEN 'percentile_disc' THEN made.given ELSE made.returned END;
            found := 'pg_internal.%s(array_agg(%s ORDER BY value), max(percentile), bool_or(descending))';
            found := CASE name
                WHEN 'percentile_disc' THEN format(found, 'reached', 'value')
                ELSE format(made.read, format(found, 'interpolated', made.counted))
            END;
            EXECUTE format(
                $sql$CREATE OR REPLACE FUNCTION pg_internal.%1$s_of(state %2$s[]) RETURNS %3$s
                LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
                RETURN (SELECT (%4$s)::%3$s FROM unnest(state) WHERE value IS NOT NULL);
                CREATE OR REPLACE AGGREGATE pg_internal.%1$s(%2$s) (
                    sfunc = array_append, stype = %2$s[], finalfunc = pg_internal.%1$s_of
                )$sql$,
                name, sample, returned, found
            );
        END LOOP;
    END LOOP;
END $body$;
