-- Views made WITH NO SCHEMA BINDING. Here they are ordinary views that are known for what they are.
CREATE TABLE IF NOT EXISTS pg_internal.late_binding_view (view_id oid PRIMARY KEY);
DELETE FROM pg_internal.late_binding_view WHERE view_id NOT IN (SELECT oid FROM pg_catalog.pg_class);
GRANT SELECT ON pg_internal.late_binding_view TO PUBLIC;

CREATE OR REPLACE FUNCTION pg_internal.set_late_binding(target regclass, binds_late boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    PERFORM pg_internal.must_own(target);
    IF binds_late THEN
        INSERT INTO pg_internal.late_binding_view VALUES (target) ON CONFLICT DO NOTHING;
    ELSE
        DELETE FROM pg_internal.late_binding_view WHERE view_id = target;
    END IF;
END $body$;

-- CREATE [OR REPLACE] VIEW has made a view. "You can't update, insert into, or delete from a view" (CREATE VIEW):
-- PostgreSQL could, by rights that not even the owner keeps.
CREATE OR REPLACE FUNCTION pg_internal.declare_view(target regclass, binds_late boolean) RETURNS void
LANGUAGE plpgsql AS $body$
BEGIN
    EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON %s FROM CURRENT_USER', target);
    PERFORM pg_internal.set_late_binding(target, binds_late);
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
GRANT SELECT ON pg_internal.relation_columns TO PUBLIC;

-- Database Developer Guide, the pages of their names.
CREATE OR REPLACE FUNCTION pg_catalog.pg_get_late_binding_view_cols() RETURNS SETOF record
LANGUAGE sql STABLE AS $body$
    SELECT schema_name, relation_name, column_name, data_type, place
    FROM pg_internal.relation_columns
    WHERE relation_id IN (SELECT view_id FROM pg_internal.late_binding_view)
    ORDER BY schema_name, relation_name, place
$body$;

CREATE OR REPLACE FUNCTION pg_catalog.pg_get_cols(name text) RETURNS SETOF record
LANGUAGE sql STABLE AS $body$
    SELECT schema_name, relation_name, column_name, data_type, place
    FROM pg_internal.relation_columns
    WHERE relation_id = $1::regclass
    ORDER BY place
$body$;
