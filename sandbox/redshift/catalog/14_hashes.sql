-- Hash functions (Database Developer Guide, "Hash functions") and others that give a number or a code for a text.

-- FNV-1a, 64 bits; checked with the three values of Redshift's manual. In halves of 32 bits, as bigint
-- multiplication would overflow: the prime is 2^40 + 435.
CREATE OR REPLACE FUNCTION pg_internal.fnv_hash(value bytea, seed bigint) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $body$
DECLARE
    high bigint := (seed >> 32) & 4294967295;
    low bigint := seed & 4294967295;
    product bigint;
BEGIN
    FOR at IN 0 .. length(value) - 1 LOOP
        low := low # get_byte(value, at);
        product := low * 435;
        high := (high * 435 + (product >> 32) + (low << 8)) & 4294967295;
        low := product & 4294967295;
    END LOOP;
    RETURN (high << 32) | low;
END $body$;

CREATE OR REPLACE FUNCTION pg_internal.fnv_hash(value bytea) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pg_internal.fnv_hash(value, -3750763034362895579);

CREATE OR REPLACE FUNCTION pg_internal.little_endian(value bytea) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (
    SELECT string_agg(substring(value FROM at FOR 1), ''::bytea ORDER BY at DESC)
    FROM generate_series(1, length(value)) AS at
);

CREATE OR REPLACE FUNCTION pg_catalog.fnv_hash(value text) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pg_internal.fnv_hash(convert_to(value, 'UTF8'));

CREATE OR REPLACE FUNCTION pg_catalog.fnv_hash(value integer) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pg_internal.fnv_hash(pg_internal.little_endian(int4send(value)));

CREATE OR REPLACE FUNCTION pg_catalog.fnv_hash(value bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pg_internal.fnv_hash(pg_internal.little_endian(int8send(value)));

CREATE OR REPLACE FUNCTION pg_catalog.fnv_hash(value text, seed bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pg_internal.fnv_hash(convert_to(value, 'UTF8'), seed);

CREATE OR REPLACE FUNCTION pg_catalog.fnv_hash(value integer, seed bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pg_internal.fnv_hash(pg_internal.little_endian(int4send(value)), seed);

CREATE OR REPLACE FUNCTION pg_catalog.fnv_hash(value bigint, seed bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pg_internal.fnv_hash(pg_internal.little_endian(int8send(value)), seed);

CREATE OR REPLACE FUNCTION pg_internal.rotate(value bigint, bits integer) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN ((value << bits) | (value >> (32 - bits))) & 4294967295;

-- FIPS 180-4, section 6.1: PostgreSQL has SHA-2 only.
CREATE OR REPLACE FUNCTION pg_internal.sha1(value bytea) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $body$
DECLARE
    message bytea := value
        || decode('80' || repeat('00', (119 - length(value) % 64) % 64), 'hex') || int8send(length(value)::bigint * 8);
    hash bigint[] := ARRAY[1732584193, 4023233417, 2562383102, 271733878, 3285377520]::bigint[];
    words bigint[];
    state bigint[];
    mixed bigint;
BEGIN
    FOR start IN 0 .. length(message) - 1 BY 64 LOOP
        state := hash;
        FOR at IN 0 .. 79 LOOP
            IF at < 16 THEN
                words[at] := ('x00000000' || encode(substr(message, start + at * 4 + 1, 4), 'hex'))::bit(64)::bigint;
            ELSE
                words[at] := pg_internal.rotate(words[at - 3] # words[at - 8] # words[at - 14] # words[at - 16], 1);
            END IF;
            mixed := CASE at / 20
                WHEN 0 THEN ((state[2] & state[3]) | (~state[2] & state[4])) + 1518500249
                WHEN 1 THEN (state[2] # state[3] # state[4]) + 1859775393
                WHEN 2 THEN ((state[2] & state[3]) | (state[2] & state[4]) | (state[3] & state[4])) + 2400959708
                ELSE (state[2] # state[3] # state[4]) + 3395469782
            END;
            mixed := (pg_internal.rotate(state[1], 5) + mixed + state[5] + words[at]) & 4294967295;
            state := ARRAY[mixed, state[1], pg_internal.rotate(state[2], 30), state[3], state[4]];
        END LOOP;
        FOR at IN 1 .. 5 LOOP
            hash[at] := (hash[at] + state[at]) & 4294967295;
        END LOOP;
    END LOOP;
    RETURN (
        SELECT string_agg(lpad(to_hex(word), 8, '0'), '' ORDER BY at)
        FROM unnest(hash) WITH ORDINALITY AS _ (word, at)
    );
END $body$;

CREATE OR REPLACE FUNCTION pg_catalog.sha1(value text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pg_internal.sha1(convert_to(value, 'UTF8'));
CREATE OR REPLACE FUNCTION pg_catalog.sha(value text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pg_internal.sha1(convert_to(value, 'UTF8'));
CREATE OR REPLACE FUNCTION pg_catalog.func_sha1(value text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pg_internal.sha1(convert_to(value, 'UTF8'));

-- "based on the CRC-32C polynomial", in hexadecimal.
CREATE OR REPLACE FUNCTION pg_catalog.crc32(value text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $body$
DECLARE
    given bytea := convert_to(value, 'UTF8');
    crc bigint := 4294967295;
BEGIN
    FOR at IN 0 .. length(given) - 1 LOOP
        crc := crc # get_byte(given, at);
        FOR bit IN 1 .. 8 LOOP
            crc := CASE WHEN crc & 1 = 1 THEN (crc >> 1) # 2197175160 ELSE crc >> 1 END;
        END LOOP;
    END LOOP;
    RETURN lpad(to_hex(crc # 4294967295), 8, '0');
END $body$;

-- The page's example: of DECIMAL(8,2) the digits without the point. Of whole numbers the number (UNCONFIRMED); of text
-- no page says, and the dialect refuses what this cannot give.
CREATE OR REPLACE FUNCTION pg_catalog.checksum(value numeric) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (value * 10::numeric ^ scale(value))::integer;

CREATE OR REPLACE FUNCTION pg_catalog.checksum(value text) RETURNS integer
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $body$
BEGIN
    RAISE EXCEPTION 'CHECKSUM of text is not in the sandbox' USING ERRCODE = '0A000', HINT = 'Use FNV_HASH or MD5.';
END $body$;

-- A letter and three digits; only ASCII letters count. Neighbours with the same digit are one.
CREATE OR REPLACE FUNCTION pg_catalog.soundex(value text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $body$
DECLARE
    letters text := upper(regexp_replace(value, '[^A-Za-z]', '', 'g'));
    digits text := translate(letters, 'BFPVCGJKQSXZDTLMNRAEIOUYHW', '11112222222233455600000000');
    code text := left(letters, 1);
BEGIN
    FOR at IN 2 .. length(digits) LOOP
        IF substr(digits, at, 1) NOT IN ('0', substr(digits, at - 1, 1)) AND length(code) < 4 THEN
            code := code || substr(digits, at, 1);
        END IF;
    END LOOP;
    RETURN CASE WHEN code = '' THEN '' ELSE rpad(code, 4, '0') END;
END $body$;

-- How many characters of the codes are the same; 0 if one text has no letter, 1 if neither has.
CREATE OR REPLACE FUNCTION pg_catalog.difference(a text, b text) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE
    WHEN soundex(a) = '' AND soundex(b) = '' THEN 1
    WHEN soundex(a) = '' OR soundex(b) = '' THEN 0
    ELSE (
        SELECT count(*) FROM generate_series(1, 4) AS at
        WHERE substr(soundex(a), at, 1) = substr(soundex(b), at, 1)
    )::integer
END;
