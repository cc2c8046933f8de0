-- What PostgreSQL does not know of materialized views: their definition in Redshift's words, when they were refreshed.
CREATE TABLE IF NOT EXISTS pg_internal.materialized_view (
    mv_id oid PRIMARY KEY,
    definition text NOT NULL,
    -- What its tables were like when it was filled, see base_signature.
    filled_from jsonb NOT NULL
);
DELETE FROM pg_internal.materialized_view WHERE mv_id NOT IN (SELECT oid FROM pg_class);

CREATE TABLE IF NOT EXISTS pg_internal.mv_refresh (
    user_id oid NOT NULL,
    session_id integer NOT NULL,
    transaction_id bigint NOT NULL,
    schema_name name NOT NULL,
    mv_id oid NOT NULL,
    mv_name name NOT NULL,
    start_time timestamp NOT NULL,
    end_time timestamp NOT NULL
);
GRANT SELECT ON pg_internal.materialized_view TO PUBLIC;

-- The tables and views that a view reads.
CREATE OR REPLACE FUNCTION pg_internal.bases(mv oid) RETURNS SETOF pg_class
LANGUAGE sql STABLE AS $body$
    SELECT base.*
    FROM pg_class AS base
    WHERE base.oid <> mv AND base.oid IN (
        SELECT depend.refobjid
        FROM pg_rewrite AS rule
        JOIN pg_depend AS depend
            ON depend.classid = 'pg_rewrite'::regclass AND depend.objid = rule.oid
            AND depend.refclassid = 'pg_class'::regclass
        WHERE rule.ev_class = mv
    )
$body$;

-- How often rows of a view's tables have changed, and the files these are in. PostgreSQL's counters follow other
-- sessions' commits within seconds; what this session has not yet reported is in the second three of them.
CREATE OR REPLACE FUNCTION pg_internal.base_signature(mv oid) RETURNS jsonb
LANGUAGE sql VOLATILE AS $body$
    SELECT coalesce(jsonb_object_agg(oid::text, jsonb_build_array(
        pg_relation_filenode(oid),
        pg_stat_get_tuples_inserted(oid) + pg_stat_get_tuples_updated(oid) + pg_stat_get_tuples_deleted(oid)
        + pg_stat_get_xact_tuples_inserted(oid) + pg_stat_get_xact_tuples_updated(oid)
        + pg_stat_get_xact_tuples_deleted(oid)
    )), '{}')
    FROM pg_internal.bases(mv)
$body$;

-- "You can't define a materialized view that references or includes … Standard views, or system tables and views"
-- (Database Developer Guide, CREATE MATERIALIZED VIEW); PostgreSQL itself refuses temporary tables.
CREATE OR REPLACE FUNCTION pg_internal.declare_materialized_view(target regclass, definition text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    wrong text;
BEGIN
    PERFORM pg_internal.must_own(target);
    SELECT relname INTO wrong FROM pg_internal.bases(target)
    WHERE relkind = 'v' OR relnamespace IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
    LIMIT 1;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'materialized views cannot be defined on the standard view or system table "%"', wrong
            USING ERRCODE = '0A000', HINT = 'Make it of tables and materialized views.';
    END IF;
    INSERT INTO pg_internal.materialized_view
    VALUES (target, declare_materialized_view.definition, pg_internal.base_signature(target));
END $body$;

-- The view has been refreshed; with CASCADE those that depend on it follow, each after those it depends on.
CREATE OR REPLACE FUNCTION pg_internal.note_refresh(target regclass, cascades text) RETURNS void
LANGUAGE plpgsql AS $body$
DECLARE
    dependent regclass;
BEGIN
    PERFORM pg_internal.store_refresh(target);
    IF NOT cascades::boolean THEN
        RETURN;
    END IF;
    FOR dependent IN
        WITH RECURSIVE dependents (mv_id, level) AS (
            SELECT target::oid, 0
            UNION ALL
            SELECT view.mv_id, dependents.level + 1
            FROM dependents
            CROSS JOIN pg_internal.materialized_view AS view
            WHERE dependents.mv_id IN (SELECT oid FROM pg_internal.bases(view.mv_id))
        )
        SELECT mv_id FROM dependents WHERE level > 0 GROUP BY mv_id ORDER BY max(level)
    LOOP
        EXECUTE format('REFRESH MATERIALIZED VIEW %s', dependent);
        PERFORM pg_internal.store_refresh(dependent);
    END LOOP;
END $body$;

CREATE OR REPLACE FUNCTION pg_internal.store_refresh(target regclass) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    PERFORM pg_internal.must_own(target);
    UPDATE pg_internal.materialized_view SET filled_from = pg_internal.base_signature(target) WHERE mv_id = target;
    INSERT INTO pg_internal.mv_refresh
    SELECT
        session.oid, pg_backend_pid(), pg_current_xact_id()::text::bigint, namespace.nspname, relation.oid,
        relation.relname, statement_timestamp() AT TIME ZONE 'UTC', clock_timestamp() AT TIME ZONE 'UTC'
    FROM pg_class AS relation
    JOIN pg_namespace AS namespace ON namespace.oid = relation.relnamespace
    JOIN pg_roles AS session ON session.rolname = session_user
    WHERE relation.oid = target;
    DELETE FROM pg_internal.mv_refresh WHERE end_time < clock_timestamp() AT TIME ZONE 'UTC' - INTERVAL '7 days';
END $body$;

CREATE OR REPLACE FUNCTION pg_internal.view_definition(target oid) RETURNS text
LANGUAGE sql STABLE
RETURN coalesce(
    (SELECT definition FROM pg_internal.materialized_view WHERE mv_id = target), pg_catalog.pg_get_viewdef(target)
);

-- "You can't rename a materialized view" (Database Developer Guide, CREATE MATERIALIZED VIEW); PostgreSQL does it by
-- ALTER TABLE.
CREATE OR REPLACE FUNCTION pg_internal.keep_name() RETURNS event_trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    IF EXISTS (
        SELECT FROM pg_event_trigger_ddl_commands() AS command
        WHERE command.object_type IN ('materialized view', 'materialized view column')
    ) THEN
        RAISE EXCEPTION 'ALTER TABLE cannot change a materialized view' USING
            ERRCODE = '0A000', HINT = 'Drop it, and create it anew.';
    END IF;
END $body$;
DROP EVENT TRIGGER IF EXISTS redshift_keeps_names;
CREATE EVENT TRIGGER redshift_keeps_names ON ddl_command_end WHEN TAG IN ('ALTER TABLE')
EXECUTE FUNCTION pg_internal.keep_name();

-- To Redshift's catalogs a materialized view is a view; its definition is the statement that made it. These are
-- PostgreSQL's own views but for that.
DO $body$
DECLARE
    changed record;
    definition text;
BEGIN
    FOR changed IN
        SELECT * FROM (VALUES
            ('information_schema.columns', '''f''::"char", ''p''::"char"]', '''f''::"char", ''p''::"char", ''m''::"char"]'),
            ('information_schema.tables', '''f''::"char", ''p''::"char"]', '''f''::"char", ''p''::"char", ''m''::"char"]'),
            ('information_schema.tables', '= ''v''::"char")', '= ANY (ARRAY[''v''::"char", ''m''::"char"]))'),
            ('information_schema.views', '= ''v''::"char")', '= ANY (ARRAY[''v''::"char", ''m''::"char"]))'),
            ('information_schema.views', 'pg_get_viewdef(', 'pg_internal.view_definition('),
            ('pg_catalog.pg_views', '= ''v''::"char")', '= ANY (ARRAY[''v''::"char", ''m''::"char"]))'),
            ('pg_catalog.pg_views', 'pg_get_viewdef(', 'pg_internal.view_definition(')
        ) AS listed (name, before, after)
    LOOP
        definition := pg_get_viewdef(changed.name::regclass);
        IF strpos(definition, changed.after) = 0 THEN
            IF strpos(definition, changed.before) = 0 THEN
                RAISE EXCEPTION 'the definition of % is not what it was', changed.name;
            END IF;
            EXECUTE format(
                'CREATE OR REPLACE VIEW %s AS %s', changed.name, replace(definition, changed.before, changed.after)
            );
        END IF;
    END LOOP;
END $body$;

-- "Regular users can only list materialized views residing in schemas they have access to" (STV_MV_INFO).
CREATE OR REPLACE VIEW pg_internal.visible_mv AS
SELECT
    view.mv_id,
    view.definition,
    namespace.nspname AS schema_name,
    relation.relname AS mv_name,
    pg_get_userbyid(relation.relowner) AS owner,
    view.filled_from IS DISTINCT FROM pg_internal.base_signature(view.mv_id) AS is_stale
FROM pg_internal.materialized_view AS view
JOIN pg_class AS relation ON relation.oid = view.mv_id
JOIN pg_namespace AS namespace ON namespace.oid = relation.relnamespace
WHERE has_schema_privilege(namespace.oid, 'USAGE') OR pg_internal.sees_rows_of_others(current_user);

-- state: every refresh recomputes. No query is rewritten to read from one.
CREATE OR REPLACE VIEW pg_catalog.stv_mv_info AS
SELECT
    current_database()::character(128) AS db_name,
    schema_name::character(128) AS schema,
    mv_name::character(128) AS name,
    NULL::bigint AS updated_upto_xid,
    CASE WHEN is_stale THEN 't' ELSE 'f' END::character(1) AS is_stale,
    owner::character(128) AS owner_user_name,
    0 AS state,
    'f'::character(1) AS autorewrite,
    'f'::character(1) AS autorefresh
FROM pg_internal.visible_mv;

CREATE OR REPLACE VIEW pg_catalog.svv_mv_info AS
SELECT
    db_name AS database_name,
    schema AS schema_name,
    owner_user_name AS user_name,
    name,
    is_stale,
    state,
    autorewrite,
    autorefresh
FROM pg_catalog.stv_mv_info;

CREATE OR REPLACE VIEW pg_catalog.stv_mv_deps AS
SELECT
    current_database()::character(128) AS db_name,
    view.schema_name::character(128) AS schema,
    view.mv_name::character(128) AS name,
    base.schema_name::character(128) AS ref_schema,
    base.mv_name::character(128) AS ref_name,
    current_database()::character(128) AS ref_database_name
FROM pg_internal.visible_mv AS view
CROSS JOIN LATERAL pg_internal.bases(view.mv_id) AS used
JOIN pg_internal.visible_mv AS base ON base.mv_id = used.oid;

CREATE OR REPLACE VIEW pg_catalog.svv_mv_dependency AS
SELECT
    db_name AS database_name,
    schema AS schema_name,
    name,
    ref_database_name AS dependent_database_name,
    ref_schema AS dependent_schema_name,
    ref_name AS dependent_name
FROM pg_catalog.stv_mv_deps;

CREATE OR REPLACE VIEW pg_internal.visible_refresh AS
SELECT refresh.*, 'Refresh successfully recomputed MV from scratch'::text AS status
FROM pg_internal.mv_refresh AS refresh
JOIN pg_catalog.pg_user AS me ON me.usename = current_user
WHERE me.usesysid = refresh.user_id OR pg_internal.sees_rows_of_others(me.usename);

CREATE OR REPLACE VIEW pg_catalog.svl_mv_refresh_status AS
SELECT
    current_database()::character(128) AS db_name,
    user_id::bigint AS userid,
    schema_name::character(128) AS schema_name,
    mv_name::character(128) AS mv_name,
    transaction_id AS xid,
    start_time AS starttime,
    end_time AS endtime,
    status
FROM pg_internal.visible_refresh;

CREATE OR REPLACE VIEW pg_catalog.sys_mv_refresh_history AS
SELECT
    user_id::integer AS user_id,
    session_id,
    transaction_id,
    current_database()::character(128) AS database_name,
    schema_name::character(128) AS schema_name,
    mv_id::bigint AS mv_id,
    mv_name::character(128) AS mv_name,
    'Manual'::character(32) AS refresh_type,
    status,
    start_time,
    end_time,
    (extract(EPOCH FROM end_time - start_time) * 1000000)::bigint AS duration
FROM pg_internal.visible_refresh
WHERE end_time <= (SELECT clock_timestamp() AT TIME ZONE 'UTC' - lag FROM pg_internal.sys_lag);

GRANT SELECT ON
    pg_catalog.stv_mv_info, pg_catalog.svv_mv_info, pg_catalog.stv_mv_deps, pg_catalog.svv_mv_dependency,
    pg_catalog.svl_mv_refresh_status, pg_catalog.sys_mv_refresh_history
TO PUBLIC;
