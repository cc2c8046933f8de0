-- JSON in text (Database Developer Guide, "Text-based JSON functions" and the functions' pages). What is NULL in the
-- newer pages (2025) was the empty string in the older ones.

-- The error of JSON_EXTRACT_PATH_TEXT's page; the detail's lines as in published sessions.
CREATE OR REPLACE FUNCTION pg_internal.invalid_json(value text, path text[], null_if_invalid boolean)
RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE SET standard_conforming_strings = on AS $body$
BEGIN
    IF value IS NULL OR value = '' OR null_if_invalid OR array_position(path, NULL) IS NOT NULL THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'JSON parsing error' USING ERRCODE = 'XX000', DETAIL = format(
        E'error:  JSON parsing error\n  code:      8001\n  context:   invalid json object %s', value
    );
END $body$;

-- Not in one expression: PostgreSQL would read a constant as JSON before it asks whether it is.
CREATE OR REPLACE FUNCTION pg_internal.json_text(value text, path text[], null_if_invalid boolean) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $body$
BEGIN
    IF pg_input_is_valid(value, 'json') THEN
        RETURN json_extract_path_text(value::json, VARIADIC path);
    END IF;
    RETURN pg_internal.invalid_json(value, path, null_if_invalid);
END $body$;

CREATE OR REPLACE FUNCTION pg_catalog.json_extract_path_text(value text, VARIADIC path text[]) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN pg_internal.json_text(value, path, false);

-- Up to five levels, and whether invalid JSON is NULL; a position of an array as the page's examples have it.
CREATE OR REPLACE FUNCTION pg_catalog.json_extract_path_text(value text, place integer) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN pg_internal.json_text(value, ARRAY[place::text], false);

CREATE OR REPLACE FUNCTION pg_catalog.json_extract_path_text(value text, place integer, null_if_invalid boolean)
RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN pg_internal.json_text(value, ARRAY[place::text], null_if_invalid);

CREATE OR REPLACE FUNCTION pg_catalog.json_extract_path_text(value text, a text, null_if_invalid boolean)
RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN pg_internal.json_text(value, ARRAY[a], null_if_invalid);

CREATE OR REPLACE FUNCTION pg_catalog.json_extract_path_text(value text, a text, b text, null_if_invalid boolean)
RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN pg_internal.json_text(value, ARRAY[a, b], null_if_invalid);

CREATE OR REPLACE FUNCTION pg_catalog.json_extract_path_text(
    value text, a text, b text, c text, null_if_invalid boolean
) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN pg_internal.json_text(value, ARRAY[a, b, c], null_if_invalid);

CREATE OR REPLACE FUNCTION pg_catalog.json_extract_path_text(
    value text, a text, b text, c text, d text, null_if_invalid boolean
) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN pg_internal.json_text(value, ARRAY[a, b, c, d], null_if_invalid);

CREATE OR REPLACE FUNCTION pg_catalog.json_extract_path_text(
    value text, a text, b text, c text, d text, e text, null_if_invalid boolean
) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN pg_internal.json_text(value, ARRAY[a, b, c, d, e], null_if_invalid);

CREATE OR REPLACE FUNCTION pg_internal.is_json_array(value text) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
RETURN pg_input_is_valid(value, 'json') AND ltrim(value, E' \t\n\r') LIKE '[%';

-- A negative position is out of bounds; PostgreSQL would count from the end.
CREATE OR REPLACE FUNCTION pg_catalog.json_extract_array_element_text(
    value text, place integer, null_if_invalid boolean DEFAULT false
) RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE AS $body$
BEGIN
    IF pg_internal.is_json_array(value) THEN
        RETURN CASE WHEN place >= 0 THEN value::json ->> place END;
    END IF;
    RETURN pg_internal.invalid_json(value, ARRAY[place::text], null_if_invalid);
END $body$;

CREATE OR REPLACE FUNCTION pg_catalog.json_array_length(value text, null_if_invalid boolean DEFAULT false)
RETURNS integer LANGUAGE plpgsql STABLE PARALLEL SAFE AS $body$
BEGIN
    IF pg_internal.is_json_array(value) THEN
        RETURN json_array_length(value::json);
    END IF;
    RETURN pg_internal.invalid_json(value, ARRAY[]::text[], null_if_invalid);
END $body$;

-- Of an object; IS_VALID_JSON_ARRAY is for arrays. Of a number or a word alone no page says anything.
CREATE OR REPLACE FUNCTION pg_catalog.is_valid_json(value text) RETURNS boolean
LANGUAGE sql STABLE STRICT PARALLEL SAFE
RETURN pg_input_is_valid(value, 'json') AND NOT pg_internal.is_json_array(value);

CREATE OR REPLACE FUNCTION pg_catalog.is_valid_json_array(value text) RETURNS boolean
LANGUAGE sql STABLE STRICT PARALLEL SAFE
RETURN pg_internal.is_json_array(value);
