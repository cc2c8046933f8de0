"""No login of the warehouse gets code, rights or a superuser's power that it was not given."""

import contextlib
from collections.abc import Iterator

import psycopg
import pytest

from sandbox.parts import postgres
from sandbox.parts.settings import Settings
from sandbox.redshift import catalog
from sandbox.redshift.transfer_log import TransferTotals
from tests.sandbox.redshift.endpoint_clients import admin_rows
from tests.security.attackers import ROUTES, Attacker, log_of_copy


@pytest.fixture(params=ROUTES)
def master(request: pytest.FixtureRequest, sandbox: Settings) -> Iterator[Attacker]:
    attacker = Attacker(sandbox, request.param, sandbox.user, sandbox.password)
    yield attacker
    attacker.connection.close()


USABLE_LANGUAGES = "SELECT 1 FROM pg_language WHERE lanpltrusted AND has_language_privilege(%s, oid, 'USAGE')"
CODE = (
    "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'select 1'",
    "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql RETURN 1",
    "CREATE FUNCTION pg_temp.mine() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END'",
    "CREATE PROCEDURE public.mine() LANGUAGE plpgsql AS 'BEGIN END'",
    "CREATE FUNCTION public.mine(text) RETURNS int LANGUAGE internal AS 'textlen'",
    "CREATE FUNCTION public.mine() RETURNS int LANGUAGE c AS 'libc', 'getuid'",
    "DO 'BEGIN END'",
    "CREATE OPERATOR public.=== (FUNCTION = pg_catalog.texteq, LEFTARG = text, RIGHTARG = text)",
    "CREATE AGGREGATE public.mine(int) (SFUNC = pg_catalog.int4pl, STYPE = int)",
    "CREATE DOMAIN public.mine AS int CHECK (value > 0)",
    "CREATE EXTENSION vector",
    "CREATE EXTENSION vector SCHEMA public",
    "GRANT USAGE ON LANGUAGE sql TO PUBLIC",  # PostgreSQL only warns that nothing was granted
    "CREATE LANGUAGE plpgsql",
    "DROP EXTENSION plpgsql CASCADE",
)


@pytest.mark.parametrize("statement", CODE)
def test_a_login_gets_no_code_of_its_own_into_the_database(
    master: Attacker, sandbox: Settings, statement: str
):
    state = master.tries(statement)

    # By way of the endpoint it may be refused before PostgreSQL reads it.
    assert state in ("42501", "0A000", "42601", "42710") or statement.startswith("GRANT")
    mine = """
        SELECT oid FROM pg_proc WHERE proname = 'mine' UNION SELECT oid FROM pg_operator WHERE oprname = '==='
    """
    assert admin_rows(sandbox, mine) == []
    assert admin_rows(sandbox, USABLE_LANGUAGES, sandbox.user) == []


POWERS = (
    "ALTER DATABASE sparkify SET search_path = public, pg_catalog",
    "ALTER DATABASE sparkify SET session_preload_libraries = 'x'",
    "ALTER DATABASE sparkify OWNER TO sparkify",
    "ALTER ROLE rdsdb SET search_path = public, pg_catalog",
    "ALTER ROLE ALL SET search_path = public, pg_catalog",
    "ALTER ROLE redshift_log SET search_path = public",
    "ALTER ROLE redshift_log PASSWORD 'known'",
    "ALTER ROLE sparkify SUPERUSER",
    "ALTER ROLE sparkify BYPASSRLS",
    "CREATE ROLE climber SUPERUSER",
    "CREATE ROLE climber REPLICATION",
    "CREATE ROLE climber IN ROLE rdsdb",
    "CREATE ROLE climber IN ROLE pg_execute_server_program",
    "GRANT rdsdb TO sparkify",
    "GRANT redshift_catalog TO sparkify",
    "GRANT redshift_log TO sparkify",
    "GRANT pg_read_server_files TO sparkify",
    "GRANT pg_read_all_data TO sparkify",
    "SET ROLE rdsdb",
    "SET ROLE redshift_catalog",
    "SET SESSION AUTHORIZATION rdsdb",
    "SET allow_system_table_mods = on",
    "SET session_preload_libraries = 'x'",
    "SET session_replication_role = replica",
    "ALTER SYSTEM SET archive_command = 'id'",
    "LOAD '$libdir/../evil'",
    "COPY (SELECT 1) TO PROGRAM 'id'",
    "COPY pg_catalog.pg_class TO '/tmp/climbed'",
    "SELECT pg_catalog.pg_read_file('/etc/passwd')",
    "SELECT pg_catalog.pg_ls_dir('.')",
    "SELECT pg_catalog.lo_import('/etc/passwd')",
    "SELECT pg_catalog.lo_create(1000100000)",
    "SELECT pg_catalog.lo_from_bytea(1000100000, 'x')",
    "SELECT pg_catalog.lo_get(1000100000)",
    "SELECT pg_catalog.pg_reload_conf()",
    "SELECT rolpassword FROM pg_catalog.pg_authid",
    "SELECT * FROM pg_catalog.pg_shadow",
    "SELECT * FROM pg_internal.transfer",
    "SELECT * FROM pg_internal.statement",
    "SELECT * FROM pg_internal.connection_event",
    "SELECT * FROM pg_internal.session",
    "SELECT pg_internal.kept_statements(2500000001)",
    "SELECT pg_internal.kept_document(1000000001)",
    "SELECT pg_internal.keep_document(1000000000, 1, 1, 1, '{}')",
    "SELECT pg_internal.record_queries(1, '{}')",
    "SELECT pg_internal.record_running('[]')",
    "SELECT pg_internal.tidy_queries()",
    "SELECT * FROM pg_internal.load_error",
    "SELECT * FROM pg_internal.all_transfer",
    "SELECT * FROM pg_internal.load_replacement",
    "INSERT INTO pg_internal.load_error_field SELECT 1, 1, 1, 'x', 'x', 'x', 'x'",
    "UPDATE pg_internal.table_attributes SET sortkey_index = 1",
    "SELECT pg_internal.record_transfer('{}')",
    "SELECT pg_internal.tidy_transfers()",
    "CREATE TABLE pg_internal.mine (id int)",
    "CREATE TABLE pg_catalog.mine (id int)",
    "CREATE FOREIGN DATA WRAPPER mine",
    "CREATE PUBLICATION mine",
    "CREATE SUBSCRIPTION mine CONNECTION '' PUBLICATION mine WITH (connect = false)",
    "CREATE EVENT TRIGGER mine ON ddl_command_end EXECUTE FUNCTION pg_internal.refuse_object()",
    "ALTER EVENT TRIGGER redshift_has_none DISABLE",
    "ALTER FUNCTION pg_internal.must_own(regclass) OWNER TO sparkify",
    "ALTER SCHEMA pg_internal OWNER TO sparkify",
)


@pytest.mark.parametrize("statement", POWERS)
def test_a_login_gets_no_right_that_it_was_not_given(master: Attacker, statement: str):
    assert master.tries(statement) not in ("", "lost")


SHADOW = """
    CREATE FUNCTION public.{0} RETURNS {1} LANGUAGE plpgsql AS
    $$BEGIN ALTER ROLE sparkify SUPERUSER; RETURN NULL; END$$
"""
SHADOWS = [
    SHADOW.format("jsonb_typeof(jsonb)", "text"),
    SHADOW.format("to_jsonb(pg_internal.transfer)", "jsonb"),
    SHADOW.format("pg_has_role(name, oid, text)", "boolean"),
    SHADOW.format("format(text, regclass, text)", "text"),
    SHADOW.format("obj_description(oid, name)", "text"),
]
LURES = (
    "ALTER DATABASE sparkify SET search_path = public, pg_catalog",
    "ALTER ROLE sparkify SET search_path = public, pg_catalog",
    "SET search_path = public, pg_catalog",
    "CREATE TABLE public.lure (id int)",
    'SELECT pg_internal.declare_table(\'public.lure\', \'{"diststyle": "all", "sortkeys": ["id"]}\')',
    "SELECT pg_internal.drop_key('public.lure', 'none')",
    "SELECT pg_internal.unseen_transfers()",
    "SELECT pg_internal.unseen_statements()",
    "SELECT pg_internal.running_statements()",
    "SELECT pg_internal.open_sessions()",
    "SELECT pg_internal.write_locks()",
    "SELECT pg_internal.note_refresh('public.lure', 'true')",
    "SELECT pg_internal.declare_materialized_view('public.lure', 'x')",
    "SELECT pg_catalog.pg_last_query_id()",
    "SELECT pg_catalog.pg_last_copy_id()",
)


def baits(sandbox: Settings, attacker: Attacker) -> bool:
    """Do what makes sessions with more rights work in the attacker's surroundings; whether it climbed."""

    for lure in LURES:
        attacker.tries(lure)
    with contextlib.suppress(psycopg.Error):
        log_of_copy(sandbox, attacker.connection).end(TransferTotals("completed", True))
    catalog.install(sandbox)
    return admin_rows(sandbox, "SELECT rolsuper FROM pg_roles WHERE rolname = 'sparkify'") != [(False,)]


@pytest.fixture
def clean(sandbox: Settings) -> Iterator[None]:
    yield
    with postgres.connect_admin(sandbox, autocommit=True) as admin:
        admin.execute("DROP TABLE IF EXISTS public.lure")
        admin.execute("ALTER ROLE sparkify RESET search_path")
        for name in ("jsonb_typeof", "pg_has_role", "format", "obj_description"):
            admin.execute(f"DROP FUNCTION IF EXISTS public.{name} CASCADE")
        admin.execute("DROP FUNCTION IF EXISTS public.to_jsonb CASCADE")


@pytest.mark.usefixtures("clean")
def test_a_login_does_not_climb_to_superuser(master: Attacker, sandbox: Settings):
    for shadow in SHADOWS:
        assert master.tries(shadow) != ""

    assert not baits(sandbox, master)


@pytest.mark.usefixtures("clean")
def test_a_login_with_functions_of_its_own_would_not_climb_either(master: Attacker, sandbox: Settings):
    with postgres.connect_admin(sandbox, autocommit=True) as admin:
        for shadow in SHADOWS:
            admin.execute(shadow)
        for (name,) in admin.execute(
            "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        ).fetchall():
            admin.execute(f"ALTER FUNCTION {name} OWNER TO sparkify")

    assert not baits(sandbox, master)
