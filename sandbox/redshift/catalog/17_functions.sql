-- Functions that PostgreSQL lacks, or has with another result (Database Developer Guide, the functions' pages). The
-- dialect sends those in pg_internal here.

-- NEXT_DAY: names of days as its page lists them.
CREATE OR REPLACE FUNCTION pg_catalog.next_day(moment timestamp, day text) RETURNS date
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $body$
DECLARE
    wanted integer := CASE lower(day)
        WHEN 'su' THEN 0 WHEN 'sun' THEN 0 WHEN 'sunday' THEN 0
        WHEN 'm' THEN 1 WHEN 'mo' THEN 1 WHEN 'mon' THEN 1 WHEN 'monday' THEN 1
        WHEN 'tu' THEN 2 WHEN 'tue' THEN 2 WHEN 'tues' THEN 2 WHEN 'tuesday' THEN 2
        WHEN 'w' THEN 3 WHEN 'we' THEN 3 WHEN 'wed' THEN 3 WHEN 'wednesday' THEN 3
        WHEN 'th' THEN 4 WHEN 'thu' THEN 4 WHEN 'thurs' THEN 4 WHEN 'thursday' THEN 4
        WHEN 'f' THEN 5 WHEN 'fr' THEN 5 WHEN 'fri' THEN 5 WHEN 'friday' THEN 5
        WHEN 'sa' THEN 6 WHEN 'sat' THEN 6 WHEN 'saturday' THEN 6
    END;
BEGIN
    IF wanted IS NULL THEN
        RAISE EXCEPTION 'NEXT_DAY knows no day "%"', day USING ERRCODE = '22023';
    END IF;
    RETURN moment::date + 1 + (wanted - EXTRACT(dow FROM moment)::integer + 6) % 7;
END $body$;

CREATE OR REPLACE FUNCTION pg_catalog.date_part_year(day date) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN EXTRACT(year FROM day)::integer;

-- Whether the text is checked strictly; here it always is (docs/sandbox.md, "What differs").
CREATE OR REPLACE FUNCTION pg_catalog.to_date(value text, format text, is_strict boolean) RETURNS date
LANGUAGE sql STABLE STRICT PARALLEL SAFE
RETURN to_date(value, format);
CREATE OR REPLACE FUNCTION pg_catalog.to_timestamp(value text, format text, is_strict boolean) RETURNS timestamptz
LANGUAGE sql STABLE STRICT PARALLEL SAFE
RETURN to_timestamp(value, format);
CREATE OR REPLACE FUNCTION pg_catalog.to_timestamp(value timestamp, format text) RETURNS timestamptz
LANGUAGE sql STABLE STRICT PARALLEL SAFE
RETURN to_timestamp(value::text, format);

-- The dialect writes CURRENT_USER_ID, which has no parentheses, as a call.
CREATE OR REPLACE FUNCTION pg_internal.current_user_id() RETURNS integer LANGUAGE sql STABLE PARALLEL SAFE
RETURN (SELECT oid::integer FROM pg_roles WHERE rolname = CURRENT_USER);

CREATE OR REPLACE FUNCTION pg_catalog.replicate(value text, times integer) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN repeat(value, times);

CREATE OR REPLACE FUNCTION pg_catalog.octetindex(searched text, value text) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN position(convert_to(searched, 'UTF8') IN convert_to(value, 'UTF8'));

-- -1, 0 or 1 by the bytes; PostgreSQL's give any number.
CREATE OR REPLACE FUNCTION pg_internal.bpcharcmp(a text, b text) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN sign(bttextcmp(a COLLATE "C", b COLLATE "C"))::integer;
CREATE OR REPLACE FUNCTION pg_internal.bttext_pattern_cmp(a text, b text) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN sign(bttextcmp(a COLLATE "C", b COLLATE "C"))::integer;

-- "Must be an integer greater than 0": PostgreSQL counts a negative one from the end.
CREATE OR REPLACE FUNCTION pg_internal.split_part(value text, delimiter text, part integer) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $body$
BEGIN
    IF part < 1 THEN
        RAISE EXCEPTION 'field position must be greater than zero' USING ERRCODE = '22023';
    END IF;
    RETURN split_part(value, delimiter, part);
END $body$;

-- "returns a DOUBLE PRECISION number", whatever is given; LOG's column is called dlog10.
CREATE OR REPLACE FUNCTION pg_internal.sqrt(value double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pg_catalog.sqrt(value);
CREATE OR REPLACE FUNCTION pg_internal.exp(value double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pg_catalog.exp(value);
CREATE OR REPLACE FUNCTION pg_internal.power(base double precision, exponent double precision)
RETURNS double precision LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pg_catalog.power(base, exponent);
CREATE OR REPLACE FUNCTION pg_internal.pow(base double precision, exponent double precision)
RETURNS double precision LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pg_catalog.power(base, exponent);

DO $body$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['stddev', 'stddev_samp', 'stddev_pop', 'variance', 'var_samp', 'var_pop'] LOOP
        EXECUTE format(
            $sql$CREATE OR REPLACE AGGREGATE pg_internal.%1$s(double precision) (
                sfunc = float8_accum, stype = double precision[], initcond = '{0,0,0}',
                finalfunc = float8_%2$s, combinefunc = float8_combine, parallel = safe
            )$sql$,
            name, CASE name WHEN 'stddev' THEN 'stddev_samp' WHEN 'variance' THEN 'var_samp' ELSE name END
        );
    END LOOP;
END $body$;

-- "BOOLEAN or integer".
CREATE OR REPLACE FUNCTION pg_internal.both(state boolean, value bigint) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN value IS NULL THEN state ELSE COALESCE(state, true) AND value <> 0 END;
CREATE OR REPLACE FUNCTION pg_internal.either(state boolean, value bigint) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN value IS NULL THEN state ELSE COALESCE(state, false) OR value <> 0 END;
CREATE OR REPLACE AGGREGATE pg_catalog.bool_and(bigint) (sfunc = pg_internal.both, stype = boolean);
CREATE OR REPLACE AGGREGATE pg_catalog.bool_or(bigint) (sfunc = pg_internal.either, stype = boolean);
