-- Aggregates whose result types differ: SUM and AVG of whole numbers are BIGINT, of REAL they are DOUBLE
-- PRECISION. The dialect sends SUM, AVG and LISTAGG here.

CREATE OR REPLACE FUNCTION pg_internal.whole_average(state bigint[]) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE WHEN state[1] > 0 THEN state[2] / state[1] END;

CREATE OR REPLACE FUNCTION pg_internal.accumulate(state bigint[], value bigint) RETURNS bigint[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN ARRAY[state[1] + 1, state[2] + value];

-- The state is the number of values, their sum and their sum of squared differences.
CREATE OR REPLACE FUNCTION pg_internal.float_sum(state double precision[]) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE WHEN state[1] > 0 THEN state[2] END;

CREATE OR REPLACE AGGREGATE pg_internal.avg(smallint) (
    sfunc = int2_avg_accum, stype = bigint[], initcond = '{0,0}', finalfunc = pg_internal.whole_average,
    combinefunc = int4_avg_combine, parallel = safe
);
CREATE OR REPLACE AGGREGATE pg_internal.avg(integer) (
    sfunc = int4_avg_accum, stype = bigint[], initcond = '{0,0}', finalfunc = pg_internal.whole_average,
    combinefunc = int4_avg_combine, parallel = safe
);
CREATE OR REPLACE AGGREGATE pg_internal.avg(bigint) (
    sfunc = pg_internal.accumulate, stype = bigint[], initcond = '{0,0}',
    finalfunc = pg_internal.whole_average, combinefunc = int4_avg_combine, parallel = safe
);
CREATE OR REPLACE AGGREGATE pg_internal.avg(numeric) (
    sfunc = numeric_avg_accum, stype = internal, finalfunc = numeric_avg, combinefunc = numeric_avg_combine,
    serialfunc = numeric_avg_serialize, deserialfunc = numeric_avg_deserialize, parallel = safe
);
CREATE OR REPLACE AGGREGATE pg_internal.avg(real) (
    sfunc = float4_accum, stype = double precision[], initcond = '{0,0,0}', finalfunc = float8_avg,
    combinefunc = float8_combine, parallel = safe
);
CREATE OR REPLACE AGGREGATE pg_internal.avg(double precision) (
    sfunc = float8_accum, stype = double precision[], initcond = '{0,0,0}', finalfunc = float8_avg,
    combinefunc = float8_combine, parallel = safe
);
CREATE OR REPLACE AGGREGATE pg_internal.avg(interval) (
    sfunc = interval_accum, stype = interval[], initcond = '{0 second,0 second}', finalfunc = interval_avg,
    combinefunc = interval_combine, parallel = safe
);

CREATE OR REPLACE AGGREGATE pg_internal.sum(smallint) (
    sfunc = int2_sum, stype = bigint, combinefunc = int8pl, parallel = safe
);
CREATE OR REPLACE AGGREGATE pg_internal.sum(integer) (
    sfunc = int4_sum, stype = bigint, combinefunc = int8pl, parallel = safe
);
CREATE OR REPLACE AGGREGATE pg_internal.sum(bigint) (
    sfunc = int8pl, stype = bigint, combinefunc = int8pl, parallel = safe
);
CREATE OR REPLACE AGGREGATE pg_internal.sum(numeric) (
    sfunc = numeric_avg_accum, stype = internal, finalfunc = numeric_sum, combinefunc = numeric_avg_combine,
    serialfunc = numeric_avg_serialize, deserialfunc = numeric_avg_deserialize, parallel = safe
);
CREATE OR REPLACE AGGREGATE pg_internal.sum(real) (
    sfunc = float4_accum, stype = double precision[], initcond = '{0,0,0}',
    finalfunc = pg_internal.float_sum, combinefunc = float8_combine, parallel = safe
);
CREATE OR REPLACE AGGREGATE pg_internal.sum(double precision) (
    sfunc = float8pl, stype = double precision, combinefunc = float8pl, parallel = safe
);
CREATE OR REPLACE AGGREGATE pg_internal.sum(interval) (
    sfunc = interval_pl, stype = interval, combinefunc = interval_pl, parallel = safe
);

-- "The scale of the result is the same as the scale of the argument" (AVG); that its last digit is rounded, not cut, is
-- UNCONFIRMED. Only the sum knows the scale: PostgreSQL counts both in one. Of other types the sum is not even asked for.
CREATE OR REPLACE FUNCTION pg_internal.avg(average numeric, total numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN round(average, scale(total));
CREATE OR REPLACE FUNCTION pg_internal.avg(average bigint, total bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN average;
CREATE OR REPLACE FUNCTION pg_internal.avg(average double precision, total double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN average;
CREATE OR REPLACE FUNCTION pg_internal.avg(average interval, total interval) RETURNS interval
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN average;

CREATE OR REPLACE AGGREGATE pg_internal.listagg(text, text) (
    sfunc = string_agg_transfn, stype = internal, finalfunc = string_agg_finalfn
);
