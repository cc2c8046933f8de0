-- An explicit cast cuts the places of a DECIMAL that its target does not have: enable_numeric_rounding is off, and then
-- "Amazon Redshift truncates NUMERIC values when casting them to other numeric types, such as INTEGER or DECIMAL"
-- (Database Developer Guide, "enable_numeric_rounding"; "Numeric types": "results of explicit casts of values selected
-- from tables are not rounded"). An assignment rounds ("Numeric types"). Of a literal the dialect rounds (dialect/casts.py).
--
-- Before the other files: what they cast is read when they are.
DO $body$
DECLARE
    kind text;
BEGIN
    FOREACH kind IN ARRAY ARRAY['int2', 'int4', 'int8'] LOOP
        EXECUTE format(
            'CREATE OR REPLACE FUNCTION pg_internal.whole_%1$s(value numeric, typmod integer, is_explicit boolean)'
            ' RETURNS %1$s LANGUAGE sql IMMUTABLE PARALLEL SAFE'
            ' RETURN pg_catalog.%1$s(CASE WHEN is_explicit THEN pg_catalog.trunc(value) ELSE value END)',
            kind
        );
        UPDATE pg_catalog.pg_cast
        SET castfunc = format('pg_internal.whole_%s(numeric,integer,boolean)', kind)::regprocedure
        WHERE castsource = 'numeric'::regtype AND casttarget = kind::regtype;
    END LOOP;
END $body$;

-- STRICT keeps it from being inlined: a table that is made by a query takes the column's scale from this very call.
CREATE OR REPLACE FUNCTION pg_internal.fit(value numeric, typmod integer, is_explicit boolean) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pg_catalog.numeric(
    CASE WHEN is_explicit THEN pg_catalog.trunc(value, (typmod - 4) & 2047) ELSE value END, typmod
);
UPDATE pg_catalog.pg_cast SET castfunc = 'pg_internal.fit(numeric,integer,boolean)'::regprocedure
WHERE castsource = 'numeric'::regtype AND casttarget = 'numeric'::regtype;
