-- Strings and numbers.

CREATE OR REPLACE FUNCTION pg_catalog.len(value text) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN char_length(value);

CREATE OR REPLACE FUNCTION pg_catalog.len(value character) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN char_length(value);

CREATE OR REPLACE FUNCTION pg_catalog.charindex(searched text, value text) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN strpos(value, searched);

CREATE OR REPLACE FUNCTION pg_catalog.sha2(value text, bits integer) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN encode(CASE bits
    WHEN 0 THEN sha256(convert_to(value, 'UTF8'))
    WHEN 224 THEN sha224(convert_to(value, 'UTF8'))
    WHEN 256 THEN sha256(convert_to(value, 'UTF8'))
    WHEN 384 THEN sha384(convert_to(value, 'UTF8'))
    WHEN 512 THEN sha512(convert_to(value, 'UTF8'))
END, 'hex');

-- The dialect sends CONCAT here: with two arguments, NULL when either is NULL.
CREATE OR REPLACE FUNCTION pg_internal.concat(text, text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN $1 || $2;

CREATE OR REPLACE FUNCTION pg_catalog.strtol(value text, base integer) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET standard_conforming_strings = on AS $body$
DECLARE
    digits text := lower(btrim(value));
    negative boolean := digits LIKE '-%';
    result numeric := 0;
    digit integer;
BEGIN
    IF base NOT BETWEEN 2 AND 36 THEN
        RAISE EXCEPTION 'The input base % is not in the range 2 to 36', base USING ERRCODE = '22023';
    END IF;
    digits := ltrim(digits, '+-');
    IF base = 16 AND digits LIKE '0x%' THEN
        digits := substr(digits, 3);
    END IF;
    -- What is asked of a million rows, sooner: the rest is slow.
    IF base = 16 AND NOT negative AND digits ~ '^[0-9a-f]{1,15}$' THEN
        RETURN ('x' || lpad(digits, 16, '0'))::bit(64)::bigint;
    END IF;
    FOR at IN 1 .. length(digits) LOOP
        digit := strpos('0123456789abcdefghijklmnopqrstuvwxyz', substr(digits, at, 1)) - 1;
        IF digit < 0 OR digit >= base THEN
            RAISE EXCEPTION 'The input % is not valid to be converted to base %', value, base
                USING ERRCODE = '22023';
        END IF;
        result := result * base + digit;
    END LOOP;
    RETURN CASE WHEN negative THEN -result ELSE result END;
END $body$;

CREATE OR REPLACE FUNCTION pg_catalog.round(value double precision, places integer) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN round(value::numeric, places)::double precision;

CREATE OR REPLACE FUNCTION pg_catalog.trunc(value double precision, places integer) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN trunc(value::numeric, places)::double precision;
