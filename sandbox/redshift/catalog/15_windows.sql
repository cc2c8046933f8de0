-- Window functions and aggregates that PostgreSQL does not have, or has without OVER; the dialect sends them here
-- (Database Developer Guide, "Window functions", "PERCENTILE_CONT function", "MEDIAN function", "LISTAGG function").

-- IGNORE NULLS. The frame decides what is seen: FIRST_VALUE's is the query's own, LAG's ends before the current row.
CREATE OR REPLACE FUNCTION pg_internal.newer(state anyelement, value anyelement) RETURNS anyelement
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT value';

-- The values seen, as many as are asked for; NULL where there were not so many.
CREATE OR REPLACE FUNCTION pg_internal.keep_first(state anycompatiblearray, value anycompatible, place integer)
RETURNS anycompatiblearray LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $body$
BEGIN
    IF place IS NULL OR place < 1 THEN
        RAISE EXCEPTION 'argument of nth_value must be greater than zero' USING ERRCODE = '22016';
    END IF;
    IF state IS NULL THEN
        state := array_fill(NULLIF(value, value), ARRAY[place]);
    END IF;
    IF value IS NOT NULL AND state[place] IS NULL THEN
        state[array_position(state, NULL)] := value;
    END IF;
    RETURN state;
END $body$;

CREATE OR REPLACE FUNCTION pg_internal.keep_last(state anycompatiblearray, value anycompatible, place integer)
RETURNS anycompatiblearray LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $body$
BEGIN
    IF state IS NULL THEN
        state := array_fill(NULLIF(value, value), ARRAY[place]);
    END IF;
    IF value IS NOT NULL THEN
        state := array_append(state[2:], value);
    END IF;
    RETURN state;
END $body$;

CREATE OR REPLACE FUNCTION pg_internal.oldest(state anycompatiblearray) RETURNS anycompatible
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT state[1]';

CREATE OR REPLACE FUNCTION pg_internal.newest(state anycompatiblearray) RETURNS anycompatible
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT state[cardinality(state)]';

CREATE OR REPLACE AGGREGATE pg_internal.first_value(anyelement) (sfunc = any_value_transfn, stype = anyelement);
CREATE OR REPLACE AGGREGATE pg_internal.last_value(anyelement) (sfunc = pg_internal.newer, stype = anyelement);
CREATE OR REPLACE AGGREGATE pg_internal.nth_value(anycompatible, integer) (
    sfunc = pg_internal.keep_first, stype = anycompatiblearray, finalfunc = pg_internal.newest
);
CREATE OR REPLACE AGGREGATE pg_internal.lag(anyelement) (sfunc = pg_internal.newer, stype = anyelement);
CREATE OR REPLACE AGGREGATE pg_internal.lag(anycompatible, integer) (
    sfunc = pg_internal.keep_last, stype = anycompatiblearray, finalfunc = pg_internal.oldest
);
CREATE OR REPLACE AGGREGATE pg_internal.lead(anyelement) (sfunc = pg_internal.newer, stype = anyelement);
CREATE OR REPLACE AGGREGATE pg_internal.lead(anycompatible, integer) (
    sfunc = pg_internal.keep_last, stype = anycompatiblearray, finalfunc = pg_internal.oldest
);

-- LISTAGG(DISTINCT …) OVER: the first of equal texts stays.
CREATE OR REPLACE FUNCTION pg_internal.append_new(state text[], value text, delimiter text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $body$
BEGIN
    IF state IS NULL THEN
        RETURN ARRAY[delimiter, value];
    END IF;
    RETURN CASE WHEN value = ANY (state[2:]) THEN state ELSE array_append(state, value) END;
END $body$;

CREATE OR REPLACE FUNCTION pg_internal.joined(state text[]) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN array_to_string(state[2:], COALESCE(state[1], ''));

CREATE OR REPLACE AGGREGATE pg_internal.listagg_distinct(text, text) (
    sfunc = pg_internal.append_new, stype = text[], finalfunc = pg_internal.joined
);

-- Around every LISTAGG: "VARCHAR(MAX). If the result set is larger than the maximum VARCHAR size".
CREATE OR REPLACE FUNCTION pg_internal.listagg(list text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $body$
BEGIN
    IF octet_length(list) > 65535 THEN
        RAISE EXCEPTION 'Result size exceeds LISTAGG limit' USING ERRCODE = 'XX000';
    END IF;
    RETURN list;
END $body$;

