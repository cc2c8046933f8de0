-- Views made WITH NO SCHEMA BINDING: "there is no dependency between the view and the objects it references"; "you can
-- drop or alter a referenced object without affecting the view" (CREATE VIEW). Here they are ordinary views, and give
-- way: before a table is dropped or altered, a view of it becomes one with the same columns that can only fail, and it
-- is made again from its text as soon as that is possible. One whose tables are not there yet begins so. Whoever drops
-- the table must own the view as well: the text is never run with the rights of another user, not even of one who has
-- been given the view.
CREATE TABLE IF NOT EXISTS pg_internal.late_binding_view (
    view_id oid PRIMARY KEY,
    owner_id oid NOT NULL,
    definition text NOT NULL
);
DELETE FROM pg_internal.late_binding_view WHERE view_id NOT IN (SELECT oid FROM pg_catalog.pg_class);
GRANT SELECT ON pg_internal.late_binding_view TO PUBLIC;

-- The definition is what stands behind the view's name, NULL of a view that is bound.
CREATE OR REPLACE FUNCTION pg_internal.set_late_binding(target regclass, definition text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    PERFORM pg_internal.must_own(target);
    DELETE FROM pg_internal.late_binding_view WHERE view_id = target;
    IF definition IS NOT NULL THEN
        INSERT INTO pg_internal.late_binding_view
        SELECT oid, relowner, definition FROM pg_class WHERE oid = target;
    END IF;
END $body$;

CREATE OR REPLACE FUNCTION pg_internal.lost_view(name text) RETURNS boolean LANGUAGE plpgsql AS $body$
BEGIN
    RAISE EXCEPTION 'what the late-binding view % selects from does not exist', name
        USING ERRCODE = '42P01', HINT = 'It works once its tables are there, with the columns that it names.';
END $body$;

-- Those of the user that are lost.
CREATE OR REPLACE VIEW pg_internal.lost_views AS
SELECT late.view_id, late.definition
FROM pg_internal.late_binding_view AS late
JOIN pg_catalog.pg_class AS relation ON relation.oid = late.view_id
WHERE
    relation.relowner = to_regrole(quote_ident(current_user)) AND late.owner_id = relation.relowner
    AND EXISTS (
        SELECT
        FROM pg_catalog.pg_rewrite AS rule
        JOIN pg_catalog.pg_depend AS dependency
            ON dependency.classid = 'pg_rewrite'::regclass AND dependency.objid = rule.oid
        WHERE rule.ev_class = late.view_id AND dependency.refobjid = 'pg_internal.lost_view(text)'::regprocedure
    );

-- Another view can stand under the name only with the same columns. Otherwise the view is made anew, with its grants,
-- unless a bound one selects from it.
CREATE OR REPLACE PROCEDURE pg_internal.bind_view(target regclass, definition text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    name text := target;
    grants text[];
    granted text;
BEGIN
    EXECUTE format('CREATE OR REPLACE VIEW %s %s', name, definition);
EXCEPTION WHEN invalid_table_definition THEN
    grants := ARRAY(
        SELECT format(
            'GRANT %s ON %s TO %s%s', privilege_type, name,
            CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END,
            CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
        )
        FROM pg_class, aclexplode(relacl) WHERE pg_class.oid = target AND grantee <> relowner
    );
    PERFORM pg_internal.lose_view(view_id) FROM pg_internal.late_sources WHERE source_id = target;
    EXECUTE format('DROP VIEW %s', name);
    EXECUTE format('CREATE VIEW %s %s', name, definition);
    FOREACH granted IN ARRAY grants LOOP
        EXECUTE granted;
    END LOOP;
    PERFORM pg_internal.declare_view(name::regclass, definition);
END $body$;

CREATE OR REPLACE FUNCTION pg_internal.bind_views() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    late record;
BEGIN
    FOR late IN SELECT * FROM pg_internal.lost_views LOOP
        BEGIN
            CALL pg_internal.bind_view(late.view_id, late.definition);
        EXCEPTION WHEN OTHERS THEN
            NULL; -- not yet
        END;
    END LOOP;
END $body$;

-- Those of the user, with what they select from.
CREATE OR REPLACE VIEW pg_internal.late_sources AS
SELECT DISTINCT late.view_id, dependency.refobjid AS source_id
FROM pg_internal.late_binding_view AS late
JOIN pg_catalog.pg_class AS relation ON relation.oid = late.view_id
JOIN pg_catalog.pg_rewrite AS rule ON rule.ev_class = late.view_id
JOIN pg_catalog.pg_depend AS dependency
    ON dependency.classid = 'pg_rewrite'::regclass AND dependency.objid = rule.oid
    AND dependency.refclassid = 'pg_class'::regclass AND dependency.refobjid <> late.view_id
WHERE relation.relowner = to_regrole(quote_ident(current_user)) AND late.owner_id = relation.relowner;

-- Those that select from a table, or from one of a schema, whose name the statement has.
CREATE OR REPLACE VIEW pg_internal.endangered_views AS
SELECT DISTINCT late.view_id
FROM pg_internal.late_sources AS late
JOIN pg_catalog.pg_class AS source ON source.oid = late.source_id
JOIN pg_catalog.pg_namespace AS schema ON schema.oid = source.relnamespace
WHERE strpos(current_query(), source.relname) > 0 OR strpos(current_query(), schema.nspname) > 0;

CREATE OR REPLACE FUNCTION pg_internal.lose_view(late regclass) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    EXECUTE (
        SELECT format(
            'CREATE OR REPLACE VIEW %s AS SELECT %s FROM pg_internal.lost_view(%L) AS lost', late,
            string_agg(format('NULL::%s AS %I', format_type(atttypid, atttypmod), attname), ', ' ORDER BY attnum),
            late
        )
        FROM pg_attribute WHERE attrelid = late AND attnum > 0 AND NOT attisdropped
    );
END $body$;

CREATE OR REPLACE FUNCTION pg_internal.release_views() RETURNS event_trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    PERFORM pg_internal.lose_view(view_id) FROM pg_internal.endangered_views;
END $body$;

CREATE OR REPLACE FUNCTION pg_internal.bind_views_again() RETURNS event_trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    PERFORM pg_internal.bind_views();
END $body$;

DROP EVENT TRIGGER IF EXISTS redshift_releases_views;
CREATE EVENT TRIGGER redshift_releases_views ON ddl_command_start WHEN TAG IN (
    'ALTER TABLE', 'ALTER VIEW', 'DROP MATERIALIZED VIEW', 'DROP SCHEMA', 'DROP TABLE', 'DROP VIEW'
) EXECUTE FUNCTION pg_internal.release_views();
DROP EVENT TRIGGER IF EXISTS redshift_binds_views;
CREATE EVENT TRIGGER redshift_binds_views ON ddl_command_end WHEN TAG IN (
    'ALTER TABLE', 'ALTER VIEW', 'CREATE MATERIALIZED VIEW', 'CREATE TABLE', 'CREATE TABLE AS', 'DROP SCHEMA',
    'DROP TABLE', 'DROP VIEW', 'SELECT INTO'
) EXECUTE FUNCTION pg_internal.bind_views_again();

-- CREATE [OR REPLACE] VIEW has made a view. "You can't update, insert into, or delete from a view" (CREATE VIEW):
-- PostgreSQL could, by rights that not even the owner keeps.
CREATE OR REPLACE FUNCTION pg_internal.declare_view(target regclass, definition text) RETURNS void
LANGUAGE plpgsql AS $body$
BEGIN
    EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON %s FROM CURRENT_USER', target);
    PERFORM pg_internal.set_late_binding(target, definition);
    PERFORM pg_internal.bind_views();
END $body$;

-- CREATE [OR REPLACE] VIEW … WITH NO SCHEMA BINDING; the statement itself has made an empty one. "You can create a view
-- even if the referenced objects don't exist", "the schema must exist" (CREATE VIEW; its error's words are UNCONFIRMED).
CREATE OR REPLACE FUNCTION pg_internal.make_late_view(
    name text, definition text, replaces boolean, schemas text[]
) RETURNS void LANGUAGE plpgsql AS $body$
DECLARE
    missing text := (
        SELECT min(named) FROM pg_catalog.unnest(schemas) AS named
        WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = named)
    );
    verb text := CASE WHEN replaces THEN 'CREATE OR REPLACE VIEW' ELSE 'CREATE VIEW' END;
BEGIN
    DROP VIEW pg_temp.made_late;
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION 'schema "%" does not exist', missing USING ERRCODE = '3F000';
    END IF;
    BEGIN
        IF replaces AND EXISTS (SELECT FROM pg_internal.lost_views WHERE view_id = to_regclass(name)) THEN
            CALL pg_internal.bind_view(name::regclass, definition);
        ELSE
            EXECUTE format('%s %s %s', verb, name, definition);
        END IF;
    EXCEPTION WHEN undefined_table OR undefined_column THEN
        IF NOT replaces OR to_regclass(name) IS NULL THEN
            EXECUTE format('CREATE VIEW %s AS SELECT NULL::varchar AS "?lost?"', name);
        END IF;
        PERFORM pg_internal.lose_view(name::regclass);
    END;
    PERFORM pg_internal.declare_view(name::regclass, definition);
END $body$;

CREATE OR REPLACE VIEW pg_internal.relation_columns AS
SELECT
    relation.oid AS relation_id,
    namespace.nspname AS schema_name,
    relation.relname AS relation_name,
    attribute.attname AS column_name,
    pg_catalog.format_type(attribute.atttypid, attribute.atttypmod)::varchar AS data_type,
    attribute.attnum::integer AS place
FROM pg_catalog.pg_class AS relation
JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = relation.relnamespace
JOIN pg_catalog.pg_attribute AS attribute
    ON attribute.attrelid = relation.oid AND attribute.attnum > 0 AND NOT attribute.attisdropped;
GRANT SELECT ON
    pg_internal.relation_columns, pg_internal.lost_views, pg_internal.late_sources, pg_internal.endangered_views
TO PUBLIC;

-- Database Developer Guide, the pages of their names.
CREATE OR REPLACE FUNCTION pg_catalog.pg_get_late_binding_view_cols() RETURNS SETOF record
LANGUAGE sql STABLE AS $body$
    SELECT schema_name, relation_name, column_name, data_type, place
    FROM pg_internal.relation_columns
    WHERE relation_id IN (SELECT view_id FROM pg_internal.late_binding_view) AND column_name <> '?lost?'
    ORDER BY schema_name, relation_name, place
$body$;

CREATE OR REPLACE FUNCTION pg_catalog.pg_get_cols(name text) RETURNS SETOF record
LANGUAGE sql STABLE AS $body$
    SELECT schema_name, relation_name, column_name, data_type, place
    FROM pg_internal.relation_columns
    WHERE relation_id = $1::regclass
    ORDER BY place
$body$;
