-- Conversions that Redshift makes by itself and PostgreSQL does not. PostgreSQL's analysis of a statement is what
-- decides: it knows every table, view, parameter and expression's type, whichever protocol the statement came by.
--
-- Source: Redshift Database Developer Guide, "Data types", section "Type compatibility and conversion". What the
-- table there does not list stays refused: no text becomes a number, a date or a truth by itself, no truth a text,
-- no number a date; neither do CASE, COALESCE and UNION mix numbers with texts.
--
-- The casts lead to VARCHAR, and what takes such values takes VARCHAR: PostgreSQL's own functions and operators take
-- TEXT, so nothing that it understands by itself gets another meaning or two of them. Plain expressions are inlined:
-- an index or a hash join serves what they compare.

-- Numbers, dates and times become texts; so do the catalogs' object numbers, as in PostgreSQL 8.0.
DO $body$
DECLARE
    kind text;
BEGIN
    FOREACH kind IN ARRAY ARRAY[
        'int2', 'int4', 'int8', 'numeric', 'float4', 'float8', 'date', 'timestamp', 'timestamptz', 'time', 'timetz',
        'oid'
    ] LOOP
        IF NOT EXISTS (
            SELECT FROM pg_cast WHERE castsource = kind::regtype AND casttarget = 'varchar'::regtype
        ) THEN
            EXECUTE format('CREATE CAST (%s AS varchar) WITH INOUT AS IMPLICIT', kind);
        END IF;
    END LOOP;
END $body$;

-- Whole numbers become truths, zero false: in assignments, WHERE, AND, CASE. PostgreSQL has a cast of INTEGER alone,
-- and asks for it to be written.
CREATE OR REPLACE FUNCTION pg_internal.bool(value smallint) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN value <> 0;
CREATE OR REPLACE FUNCTION pg_internal.bool(value bigint) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN value <> 0;
UPDATE pg_catalog.pg_cast SET castcontext = 'a' WHERE castsource = 'int4'::regtype AND casttarget = 'bool'::regtype;
DO $body$
DECLARE
    kind text;
BEGIN
    FOREACH kind IN ARRAY ARRAY['int2', 'int8'] LOOP
        IF NOT EXISTS (
            SELECT FROM pg_cast WHERE castsource = kind::regtype AND casttarget = 'bool'::regtype
        ) THEN
            EXECUTE format(
                'CREATE CAST (%s AS boolean) WITH FUNCTION pg_internal.bool(%1$s) AS ASSIGNMENT', kind
            );
        END IF;
    END LOOP;
END $body$;

-- An operator is made once: it belongs to views that use it. Its function is replaced.
CREATE OR REPLACE PROCEDURE pg_internal.make_operator(
    operator text, left_kind text, right_kind text, function text, result text, volatility text, body text
) LANGUAGE plpgsql AS $body$
BEGIN
    EXECUTE format(
        'CREATE OR REPLACE FUNCTION pg_internal.%s(%s, %s) RETURNS %s LANGUAGE sql %s PARALLEL SAFE RETURN %s',
        function, left_kind, right_kind, result, volatility, body
    );
    IF to_regoperator(format('pg_catalog.%s(%s,%s)', operator, left_kind, right_kind)) IS NULL THEN
        EXECUTE format(
            'CREATE OPERATOR pg_catalog.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = pg_internal.%s)',
            operator, left_kind, right_kind, function
        );
    END IF;
END $body$;

-- Comparisons with texts: "If you compare DECIMAL values with character strings, Amazon Redshift attempts to convert
-- the character string to a DECIMAL value. When comparing all other numeric values with character strings, the
-- numeric values are converted to character strings." Dates and times become texts, too (of them no sentence says
-- more than the table: UNCONFIRMED).
DO $body$
DECLARE
    kind text;
    volatility text;
    compared text[];
    texts text[];
BEGIN
    FOREACH kind IN ARRAY ARRAY[
        'int2', 'int4', 'int8', 'numeric', 'float4', 'float8', 'date', 'timestamp', 'timestamptz', 'time', 'timetz'
    ] LOOP
        -- The text of a date depends on the session's DateStyle.
        volatility := CASE WHEN kind ~ '^(date|time)' THEN 'STABLE' ELSE 'IMMUTABLE' END;
        texts := CASE kind
            WHEN 'numeric' THEN ARRAY['$1::numeric %s $2', '$1 %s $2::numeric']
            ELSE ARRAY['$1 %s $2::text', '$1::text %s $2']
        END;
        FOREACH compared SLICE 1 IN ARRAY ARRAY[
            ['=', 'eq'], ['<>', 'ne'], ['<', 'lt'], ['>', 'gt'], ['<=', 'le'], ['>=', 'ge']
        ] LOOP
            CALL pg_internal.make_operator(
                compared[1], 'text', kind, compared[2], 'boolean', volatility, format(texts[1], compared[1])
            );
            CALL pg_internal.make_operator(
                compared[1], kind, 'text', compared[2], 'boolean', volatility, format(texts[2], compared[1])
            );
        END LOOP;
        -- LIKE, ILIKE, SIMILAR TO and POSIX operators of what is no text.
        FOREACH compared SLICE 1 IN ARRAY ARRAY[
            ['~~', 'is_like'], ['!~~', 'is_unlike'], ['~~*', 'is_ilike'], ['!~~*', 'is_unilike'],
            ['~', 'matches'], ['!~', 'differs'], ['~*', 'imatches'], ['!~*', 'idiffers']
        ] LOOP
            CALL pg_internal.make_operator(
                compared[1], kind, 'text', compared[2], 'boolean', volatility, format('$1::text %s $2', compared[1])
            );
        END LOOP;
    END LOOP;
END $body$;

-- Numbers of objects in catalogs (AWS's v_generate_tbl_ddl compares SPLIT_PART() with one).
CALL pg_internal.make_operator('=', 'text', 'oid', 'eq', 'boolean', 'IMMUTABLE', '$1 = $2::text');
CALL pg_internal.make_operator('=', 'oid', 'text', 'eq', 'boolean', 'IMMUTABLE', '$1::text = $2');

-- A truth and a number: "Non-zero values equate to TRUE, 0 equates to FALSE" ("Comparison condition").
DO $body$
DECLARE
    kind text;
BEGIN
    FOREACH kind IN ARRAY ARRAY['int2', 'int4', 'int8'] LOOP
        CALL pg_internal.make_operator('=', 'boolean', kind, 'eq', 'boolean', 'IMMUTABLE', '$1 = ($2 <> 0)');
        CALL pg_internal.make_operator('=', kind, 'boolean', 'eq', 'boolean', 'IMMUTABLE', '($1 <> 0) = $2');
        CALL pg_internal.make_operator('<>', 'boolean', kind, 'ne', 'boolean', 'IMMUTABLE', '$1 <> ($2 <> 0)');
        CALL pg_internal.make_operator('<>', kind, 'boolean', 'ne', 'boolean', 'IMMUTABLE', '($1 <> 0) <> $2');
    END LOOP;
END $body$;

-- Numbers, dates and texts in any order: PostgreSQL knows only those beside a TEXT.
CALL pg_internal.make_operator(
    '||', 'varchar', 'varchar', 'joined', 'text', 'IMMUTABLE', '$1::text || $2::text'
);
CREATE OR REPLACE FUNCTION pg_internal.concat(varchar, varchar) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN $1::text || $2::text;

-- ``text + text`` and ``text + number``: "NVL2 function" has the former in an example, the views of AWS's
-- amazon-redshift-utils both (v_generate_tbl_ddl, v_generate_database_ddl).
DO $body$
DECLARE
    kind text;
BEGIN
    FOREACH kind IN ARRAY ARRAY['text', 'int2', 'int4', 'int8', 'numeric', 'float4', 'float8'] LOOP
        CALL pg_internal.make_operator('+', 'text', kind, 'joined', 'text', 'IMMUTABLE', '$1 || $2::text');
    END LOOP;
END $body$;

-- ``text || boolean`` does not exist on Redshift (dbt-labs/dbt-utils, issue 294). PostgreSQL's operators that take
-- whatever stands beside a TEXT, or make an array of it, are found by no name any more; views that have them keep them.
DO $body$
DECLARE
    operands text;
BEGIN
    FOREACH operands IN ARRAY ARRAY[
        'anynonarray,text', 'text,anynonarray', 'anycompatible,anycompatiblearray', 'anycompatiblearray,anycompatible'
    ] LOOP
        IF to_regoperator(format('pg_catalog.||(%s)', operands)) IS NOT NULL THEN
            EXECUTE format('ALTER OPERATOR pg_catalog.|| (%s) SET SCHEMA pg_internal', operands);
        END IF;
    END LOOP;
END $body$;
DROP FUNCTION IF EXISTS pg_internal.concat(anynonarray, text), pg_internal.concat(text, anynonarray);

-- Neither is there a cast from a truth to a text, nor does an assignment make one: "cannot cast type boolean to character
-- varying" (dbt-labs/dbt-utils, issue 1016; datafold/data-diff, issue 280).
CREATE OR REPLACE FUNCTION pg_internal.refuse_cast(value boolean) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $body$
BEGIN
    RAISE EXCEPTION 'cannot cast type boolean to character varying' USING ERRCODE = '42846';
END $body$;
UPDATE pg_catalog.pg_cast SET castcontext = 'e', castfunc = 'pg_internal.refuse_cast(boolean)'::regprocedure
WHERE castsource = 'bool'::regtype AND casttarget IN ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype);

-- Functions of texts take numbers and dates, too.
DO $body$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT
            routine.proname,
            routine.provolatile,
            routine.prorettype::regtype AS result,
            string_agg(
                CASE WHEN type = 'text'::regtype THEN 'varchar' ELSE type::regtype::text END, ', ' ORDER BY number
            ) AS takes,
            string_agg(
                format(CASE WHEN type = 'text'::regtype THEN '$%s::text' ELSE '$%s' END, number), ', '
                ORDER BY number
            ) AS arguments
        FROM
            pg_proc AS routine,
            unnest(string_to_array(routine.proargtypes::text, ' ')::oid[]) WITH ORDINALITY AS argument (type, number)
        WHERE
            routine.pronamespace = 'pg_catalog'::regnamespace
            AND routine.prokind = 'f'
            AND routine.provariadic = 0
            AND routine.proname::text = ANY (string_to_array(
                'ascii btrim char_length character_length charindex initcap left len length lower'
                ' lpad ltrim md5 octet_length position regexp_count regexp_instr regexp_substr'
                ' repeat replace replicate reverse right rpad rtrim sha sha1 sha2 split_part strpos strtol substr'
                ' substring textlen to_date to_number to_timestamp translate upper',
                ' '
            ))
        GROUP BY routine.oid
        HAVING bool_or(type = 'text'::regtype)
            -- SUBSTRING of a pattern is not Redshift's.
            AND NOT (routine.proname = 'substring' AND count(*) > 1 AND bool_and(type = 'text'::regtype))
    LOOP
        EXECUTE format(
            'CREATE OR REPLACE FUNCTION pg_catalog.%I(%s) RETURNS %s LANGUAGE sql %s PARALLEL SAFE'
            ' RETURN pg_catalog.%1$I(%5$s)',
            found.proname, found.takes, found.result,
            CASE found.provolatile WHEN 'i' THEN 'IMMUTABLE' ELSE 'STABLE' END, found.arguments
        );
    END LOOP;
END $body$;
CREATE OR REPLACE FUNCTION pg_internal.regexp_replace(
    value varchar, pattern varchar, replacement varchar DEFAULT '', start integer DEFAULT 1, flags varchar DEFAULT 'c'
) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN pg_internal.regexp_replace(value::text, pattern::text, replacement::text, start, flags::text);
CREATE OR REPLACE FUNCTION pg_internal.regexp_count(
    value varchar, pattern varchar, place integer DEFAULT 1, parameters varchar DEFAULT 'c'
) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN pg_internal.regexp_count(value::text, pattern::text, place, parameters::text);
CREATE OR REPLACE FUNCTION pg_internal.regexp_instr(
    value varchar, pattern varchar, place integer DEFAULT 1, occurrence integer DEFAULT 1, option integer DEFAULT 0,
    parameters varchar DEFAULT 'c'
) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN pg_internal.regexp_instr(value::text, pattern::text, place, occurrence, option, parameters::text);
CREATE OR REPLACE FUNCTION pg_internal.regexp_substr(
    value varchar, pattern varchar, place integer DEFAULT 1, occurrence integer DEFAULT 1,
    parameters varchar DEFAULT 'c'
) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN pg_internal.regexp_substr(value::text, pattern::text, place, occurrence, parameters::text);
CREATE OR REPLACE FUNCTION pg_internal.split_part(value varchar, delimiter varchar, part integer) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN pg_internal.split_part(value::text, delimiter::text, part);

DROP PROCEDURE pg_internal.make_operator;

-- VARCHAR(n) counts bytes in casts, too: an explicit one cuts, an assignment refuses what is no blank ("Character
-- types"; "Examples with character types"). That no character is cut in two is UNCONFIRMED. Values that fit, nearly all,
-- cost a comparison; they would not if PostgreSQL thought that the rest is dear, and inlined nothing.
CREATE OR REPLACE FUNCTION pg_internal.cut(value varchar, bytes integer, is_explicit boolean) RETURNS varchar
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 1 AS $body$
DECLARE
    kept text := left(value, bytes);
BEGIN
    IF NOT is_explicit AND octet_length(rtrim(value, ' ')) > bytes THEN
        RAISE EXCEPTION 'value too long for type character varying(%)', bytes USING ERRCODE = '22001';
    END IF;
    WHILE octet_length(kept) > bytes LOOP
        kept := left(kept, char_length(kept) - greatest(1, (octet_length(kept) - bytes) / 4));
    END LOOP;
    RETURN kept;
END $body$;
CREATE OR REPLACE FUNCTION pg_internal.fit(value varchar, typmod integer, is_explicit boolean) RETURNS varchar
LANGUAGE sql IMMUTABLE PARALLEL SAFE SUPPORT pg_catalog.varchar_support
RETURN CASE
    WHEN octet_length(value) <= typmod - 4 THEN value
    ELSE pg_internal.cut(value, typmod - 4, is_explicit)
END;
UPDATE pg_catalog.pg_cast SET castfunc = 'pg_internal.fit(varchar,integer,boolean)'::regprocedure
WHERE castsource = 'varchar'::regtype AND casttarget = 'varchar'::regtype;
