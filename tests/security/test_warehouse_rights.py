"""No login of the warehouse gets beyond its rights, with or without the dialect in between."""

import contextlib
import secrets
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from sandbox.parts import postgres, rights
from sandbox.parts.settings import Settings
from sandbox.redshift import catalog
from sandbox.redshift.copy.errors import FatalError
from sandbox.redshift.copy.history import LoadLog
from sandbox.redshift.transfer_log import TransferStart, TransferTotals
from tests.sandbox.redshift.endpoint_clients import Client, admin_rows, connect_psycopg

# The text behind which the lexer once saw one string, and PostgreSQL several statements.
HIDING = "SELECT $é$ ' $é$; {}; -- '"
ROUTES = ("endpoint", "socket")


def connect_directly(settings: Settings, user: str, password: str, database: str) -> psycopg.Connection:
    """The login's session with nothing in between that reads its statements."""
    return psycopg.connect(
        host=str(settings.socket_dir), user=user, password=password, dbname=database, autocommit=True
    )


class Attacker:
    """A login's session on one of the routes."""

    def __init__(self, settings: Settings, route: str, user: str, password: str) -> None:
        self._hides = route == "endpoint"
        self.connection = (
            connect_psycopg(settings, user=user, password=password)
            if self._hides
            else connect_directly(settings, user, password, settings.database)
        )

    def tries(self, statement: str) -> str:
        """Run a statement as PostgreSQL's own SQL; the SQLSTATE, or an empty text where it ran."""
        text = HIDING.format(statement) if self._hides else statement
        try:
            self.connection.execute(text)
        except psycopg.Error as error:
            return error.sqlstate or "lost"
        return ""


@pytest.fixture(scope="module")
def alice(sandbox: Settings) -> Iterator[tuple[str, str]]:
    """An ordinary user, made by the master."""
    login = "alice", "Aa0" + secrets.token_hex(8)
    with connect_psycopg(sandbox) as connection:
        connection.execute(f"CREATE USER alice PASSWORD '{login[1]}'")
    yield login
    with psycopg.connect(postgres.admin_dsn(sandbox), autocommit=True) as admin:
        admin.execute("DROP OWNED BY alice; DROP USER alice")


@pytest.fixture(params=ROUTES)
def master(request: pytest.FixtureRequest, sandbox: Settings) -> Iterator[Attacker]:
    attacker = Attacker(sandbox, request.param, sandbox.user, sandbox.password)
    yield attacker
    attacker.connection.close()


@pytest.fixture
def direct(sandbox: Settings) -> Iterator[psycopg.Connection]:
    with connect_directly(sandbox, sandbox.user, sandbox.password, sandbox.database) as connection:
        yield connection


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


def log_of_copy(sandbox: Settings, session: psycopg.Connection) -> LoadLog:
    """The log of a COPY that the master user has begun in the session."""
    pid = session.info.backend_pid
    start = TransferStart(
        *("COPY", pid, "sparkify", sandbox.database, None, "COPY t", "s3://b/k", "JSON"),
        table_id=1,
        table_name="t",
    )
    return LoadLog(sandbox, start)


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


def test_nobody_logs_in_to_postgresqls_own_databases(sandbox: Settings):
    for database in ("postgres", "template1"):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            connect_directly(sandbox, sandbox.user, sandbox.password, database)


def test_a_user_sets_its_own_defaults_and_not_anothers(sandbox: Settings, alice: tuple[str, str]):
    with connect_psycopg(sandbox, user=alice[0], password=alice[1]) as connection:
        client = Client(connection)
        client.run("ALTER USER alice SET search_path TO elsewhere")
        assert client.fail("ALTER USER sparkify SET search_path TO elsewhere")[0] == "42501"
        assert client.fail("ALTER DATABASE sparkify SET search_path TO elsewhere")[0] == "42501"
        client.run("ALTER USER alice RESET search_path")


def test_the_master_keeps_what_a_master_user_does_on_redshift(sandbox: Settings):
    notices: list[str] = []
    with connect_psycopg(sandbox) as connection:
        connection.add_notice_handler(lambda notice: notices.append(notice.message_primary or ""))
        for statement in (
            "CREATE USER tenant PASSWORD 'Aa0tenant'",
            "GRANT CREATE ON DATABASE sparkify TO tenant",
            "REVOKE CREATE ON DATABASE sparkify FROM tenant",
            "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
            "GRANT CREATE ON SCHEMA public TO PUBLIC",
            "CREATE SCHEMA rented AUTHORIZATION sparkify",
            "GRANT USAGE ON SCHEMA rented TO tenant",
            "DROP SCHEMA rented",
            "DROP USER tenant",
            "VACUUM",
            "ANALYZE",
        ):
            connection.execute(statement)
    assert notices == []


def test_what_the_session_calls_with_anothers_rights_has_a_fixed_search_path(sandbox: Settings):
    loose = """
        SELECT oid::regprocedure::text FROM pg_proc
        WHERE prosecdef AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (proconfig), false)
    """
    assert admin_rows(sandbox, loose) == []
    powerful = """
        SELECT proc.oid::regprocedure::text FROM pg_proc AS proc
        JOIN pg_roles AS owner ON owner.oid = proowner
        WHERE prosecdef AND (rolsuper OR rolcanlogin OR rolcreaterole OR rolcreatedb OR rolbypassrls)
    """
    assert admin_rows(sandbox, powerful) == []


def test_functions_that_run_with_the_callers_rights_can_be_inlined(sandbox: Settings):
    slow = """
        SELECT proname FROM pg_proc JOIN pg_language AS language ON language.oid = prolang
        WHERE lanname = 'sql' AND NOT prosecdef AND proconfig IS NOT NULL
    """.replace(
        "JOIN pg_language", "JOIN pg_roles AS proc_owner ON proc_owner.oid = proowner JOIN pg_language"
    )
    assert admin_rows(sandbox, slow) == []


def test_the_catalog_belongs_to_a_role_without_other_rights(sandbox: Settings):
    owners = """
        SELECT DISTINCT pg_get_userbyid(owner) FROM (
            SELECT relowner FROM pg_class WHERE relnamespace = 'pg_internal'::regnamespace
            UNION ALL SELECT proowner FROM pg_proc
                WHERE pronamespace = 'pg_internal'::regnamespace AND prorettype <> 'event_trigger'::regtype
            UNION ALL SELECT nspowner FROM pg_namespace WHERE nspname = 'pg_internal'
            UNION ALL SELECT proowner FROM pg_proc
                WHERE pronamespace = 'pg_catalog'::regnamespace AND oid >= 16384
        ) AS owned (owner)
    """
    assert admin_rows(sandbox, owners) == [("redshift_catalog",)]
    role = "SELECT rolsuper, rolcanlogin, rolcreaterole FROM pg_roles WHERE rolname = 'redshift_catalog'"
    assert admin_rows(sandbox, role) == [(False, False, False)]
    given = "SELECT roleid::regrole::text FROM pg_auth_members WHERE member = 'redshift_catalog'::regrole"
    assert admin_rows(sandbox, given) == [("pg_read_all_stats",)]
    assert (
        admin_rows(sandbox, "SELECT 1 FROM pg_auth_members WHERE roleid = 'redshift_catalog'::regrole") == []
    )


def test_the_index_of_a_sort_key_is_made_with_the_owners_rights(
    direct: psycopg.Connection, sandbox: Settings
):
    direct.execute("CREATE TABLE public.keyed (id int)")
    try:
        declare = "SELECT pg_internal.declare_table('public.keyed', %s)"
        direct.execute(declare, ['{"sortkeys": ["id"], "sort_style": "compound"}'])
        index = """
            SELECT pg_get_userbyid(relowner), indrelid = 'public.keyed'::regclass
            FROM pg_internal.table_attributes
            JOIN pg_class ON oid = sortkey_index JOIN pg_index ON indexrelid = sortkey_index
            WHERE table_id = 'public.keyed'::regclass
        """
        assert admin_rows(sandbox, index) == [(sandbox.user, True)]
        # Another table's index is not taken for one to drop.
        direct.execute("SELECT pg_internal.store_index('public.keyed', 'pg_class_oid_index'::regclass)")
        assert admin_rows(sandbox, index) == []
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="must be owner of relation pg_class"):
            direct.execute(declare.replace("public.keyed", "pg_catalog.pg_class"), ["{}"])
    finally:
        direct.execute("DROP TABLE public.keyed")


def test_a_role_of_the_sandboxs_own_is_taken_from_who_made_it_first(sandbox: Settings):

    with connect_psycopg(sandbox) as connection:
        connection.execute("CREATE USER squatted PASSWORD 'Aa0squatted'")
    with postgres.connect_admin(sandbox, autocommit=True) as admin:
        rights.claim_role(admin, "squatted", sql.SQL("NOLOGIN"))
    try:
        with connect_psycopg(sandbox) as connection:
            client = Client(connection)
            for statement in ("ALTER USER squatted PASSWORD 'Aa0mine00'", "GRANT ROLE squatted TO sparkify"):
                assert client.fail(statement)[0] == "42501"
    finally:
        with postgres.connect_admin(sandbox, autocommit=True) as admin:
            admin.execute("DROP ROLE squatted")


def test_the_sandboxs_own_sessions_find_nothing_of_a_users_by_a_bare_name(sandbox: Settings):
    sessions = (postgres.connect_admin(sandbox), postgres.connect_log(sandbox, sandbox.database))
    for session in sessions:
        with session:
            assert session.execute("SHOW search_path").fetchone() == ("pg_catalog,pg_temp",)
    with postgres.connect_log(sandbox, sandbox.database) as log:
        for statement in ("SET ROLE rdsdb", "SET ROLE redshift_catalog", "TRUNCATE pg_internal.transfer"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                log.execute(statement)


def test_rejected_rows_of_one_user_are_not_anothers(sandbox: Settings, alice: tuple[str, str]):
    """Also as long as they are only in the log's large objects, where open transactions look."""

    with contextlib.ExitStack() as stack:
        sessions = {
            "alice": stack.enter_context(connect_directly(sandbox, *alice, sandbox.database)),
            "sparkify": stack.enter_context(
                connect_directly(sandbox, sandbox.user, sandbox.password, sandbox.database)
            ),
        }
        for session in sessions.values():
            session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            session.execute("SELECT 1 FROM pg_class LIMIT 1")
        log = log_of_copy(sandbox, sessions["sparkify"])
        log.add_error(FatalError("private.json", 1, 1207, "no", "private row"))
        log.end(TransferTotals("aborted", True))

        seen = {
            name: str(session.execute("SELECT pg_internal.unseen_transfers()").fetchall())
            for name, session in sessions.items()
        }
        own = sessions["sparkify"].execute("SELECT raw_line FROM stl_load_errors").fetchall()
        assert sessions["alice"].execute("SELECT raw_line FROM stl_load_errors").fetchall() == []

    assert "private row" in seen["sparkify"]
    assert "private row" in str(own)
    assert "private row" not in seen["alice"]
