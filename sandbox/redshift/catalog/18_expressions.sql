-- REGEXP_COUNT, REGEXP_INSTR, REGEXP_SUBSTR and REGEXP_REPLACE; the dialect sends them here. Their parameters are c, i,
-- e and p: PostgreSQL has other letters, and another e (Database Developer Guide, the functions' pages). p, PCRE, is
-- read as PostgreSQL's own expressions, which have look-ahead.

CREATE OR REPLACE FUNCTION pg_internal.regexp_flags(parameters text, known text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $body$
BEGIN
    IF translate(parameters, known, '') <> '' THEN
        RAISE EXCEPTION 'invalid regular expression parameter "%"', parameters USING ERRCODE = '22023';
    END IF;
    RETURN translate(parameters, 'ep', '');
END $body$;

-- With e the first subexpression is meant, if there is one.
CREATE OR REPLACE FUNCTION pg_internal.regexp_group(pattern text, parameters text) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE
    WHEN strpos(parameters, 'e') = 0 THEN 0
    WHEN pg_catalog.regexp_replace(pattern, '\\.|\[\^?\]?[^]]*\]', '', 'g') ~ '\((?!\?)' THEN 1
    ELSE 0
END;

CREATE OR REPLACE FUNCTION pg_internal.regexp_count(
    value text, pattern text, place integer DEFAULT 1, parameters text DEFAULT 'c'
) RETURNS integer LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pg_catalog.regexp_count(
    value, pattern, greatest(place, 1), pg_internal.regexp_flags(parameters, 'cip')
);

CREATE OR REPLACE FUNCTION pg_internal.regexp_instr(
    value text, pattern text, place integer DEFAULT 1, occurrence integer DEFAULT 1, option integer DEFAULT 0,
    parameters text DEFAULT 'c'
) RETURNS integer LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE
    WHEN occurrence < 1 THEN 0
    ELSE pg_catalog.regexp_instr(
        value, pattern, greatest(place, 1), occurrence, CASE option WHEN 0 THEN 0 ELSE 1 END,
        pg_internal.regexp_flags(parameters, 'ceip'), pg_internal.regexp_group(pattern, parameters)
    )
END;

-- "If the function can't match the regular expression to any characters in the string, it returns an empty string"; NULL
-- for an occurrence that cannot be.
CREATE OR REPLACE FUNCTION pg_internal.regexp_substr(
    value text, pattern text, place integer DEFAULT 1, occurrence integer DEFAULT 1, parameters text DEFAULT 'c'
) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE
    WHEN place > length(value) THEN ''
    WHEN occurrence BETWEEN 1 AND length(value) THEN COALESCE(pg_catalog.regexp_substr(
        value, pattern, greatest(place, 1), occurrence, pg_internal.regexp_flags(parameters, 'ceip'),
        pg_internal.regexp_group(pattern, parameters)
    ), '')
END;

-- Every occurrence, and $1 for what the first group matched.
CREATE OR REPLACE FUNCTION pg_internal.regexp_replace(
    value text, pattern text, replacement text DEFAULT '', start integer DEFAULT 1, flags text DEFAULT 'c'
) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pg_catalog.regexp_replace(
    value,
    pattern,
    pg_catalog.regexp_replace(replacement, '[$]([0-9])', repeat(chr(92), 2) || chr(92) || '1', 'g'),
    greatest(start, 1),
    0,
    pg_internal.regexp_flags(flags, 'cip')
);
