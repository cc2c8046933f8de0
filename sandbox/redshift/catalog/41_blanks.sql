-- "Trailing spaces in VARCHAR and CHAR values are treated as semantically insignificant when values are compared"
-- (Database Developer Guide, "Character types"): in =, <, joins, IN, DISTINCT, GROUP BY, ORDER BY. "LIKE and ILIKE
-- predicates do not implicitly ignore trailing spaces" ("LIKE").
--
-- PostgreSQL compares CHARACTER so. TEXT and VARCHAR are the same bytes, so its operators, and what sorts and hashes for
-- them, take CHARACTER's functions: of names of their own, as PostgreSQL finds a function's code by its arguments' types.
-- They are PostgreSQL's own code, so nothing gets slower. An index that was made before stays in order: only a
-- character below the blank would come elsewhere.
DO $body$
DECLARE
    pair text[];
BEGIN
    FOREACH pair SLICE 1 IN ARRAY ARRAY[['=', 'eq'], ['<>', 'ne'], ['<', 'lt'], ['<=', 'le'], ['>', 'gt'], ['>=', 'ge']]
    LOOP
        EXECUTE format(
            'CREATE OR REPLACE FUNCTION pg_internal.text_%s(text, text) RETURNS boolean'
            ' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE AS %L',
            pair[2], 'bpchar' || pair[2]
        );
        UPDATE pg_catalog.pg_operator SET oprcode = format('pg_internal.text_%s', pair[2])::regproc
        WHERE oid = format('pg_catalog.%s(text,text)', pair[1])::regoperator;
    END LOOP;
END $body$;

CREATE OR REPLACE FUNCTION pg_internal.text_cmp(text, text) RETURNS integer
LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE AS 'bpcharcmp';
CREATE OR REPLACE FUNCTION pg_internal.text_sortsupport(internal) RETURNS void
LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'bpchar_sortsupport';
CREATE OR REPLACE FUNCTION pg_internal.text_hash(text) RETURNS integer
LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'hashbpchar';
CREATE OR REPLACE FUNCTION pg_internal.text_hash(text, bigint) RETURNS bigint
LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'hashbpcharextended';
CREATE OR REPLACE FUNCTION pg_internal.text_larger(text, text) RETURNS text
LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'bpchar_larger';
CREATE OR REPLACE FUNCTION pg_internal.text_smaller(text, text) RETURNS text
LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'bpchar_smaller';

UPDATE pg_catalog.pg_amproc AS support SET amproc = replacement.function
FROM (
    VALUES
    ('bttextcmp(text,text)'::regprocedure, 'pg_internal.text_cmp(text,text)'::regprocedure),
    ('bttextsortsupport(internal)', 'pg_internal.text_sortsupport(internal)'),
    ('hashtext(text)', 'pg_internal.text_hash(text)'),
    ('hashtextextended(text,bigint)', 'pg_internal.text_hash(text,bigint)')
) AS replacement (original, function)
WHERE support.amproc = replacement.original AND support.amproclefttype = 'text'::regtype;
-- Equal texts may now differ, so an index keeps each as it is.
DELETE FROM pg_catalog.pg_amproc
WHERE
    amprocfamily = (
        SELECT family.oid
        FROM pg_catalog.pg_opfamily AS family
        JOIN pg_catalog.pg_am AS method ON method.oid = family.opfmethod
        WHERE family.opfname = 'text_ops' AND method.amname = 'btree'
    )
    AND amproclefttype = 'text'::regtype AND amprocnum = 4;
UPDATE pg_catalog.pg_aggregate
SET
    aggtransfn = CASE aggfnoid WHEN 'pg_catalog.max(text)'::regprocedure THEN 'pg_internal.text_larger'::regproc
        ELSE 'pg_internal.text_smaller'::regproc END,
    aggcombinefn = CASE aggfnoid WHEN 'pg_catalog.max(text)'::regprocedure THEN 'pg_internal.text_larger'::regproc
        ELSE 'pg_internal.text_smaller'::regproc END
WHERE aggfnoid IN ('pg_catalog.max(text)'::regprocedure, 'pg_catalog.min(text)'::regprocedure);
