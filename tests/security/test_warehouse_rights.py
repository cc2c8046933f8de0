"""What users, the master and the sandbox's own roles may, with or without the dialect in between."""

import contextlib
import secrets
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from sandbox.parts import postgres, rights
from sandbox.parts.settings import Settings
from sandbox.redshift.copy.errors import FatalError
from sandbox.redshift.transfer_log import TransferTotals
from tests.sandbox.redshift.endpoint_clients import Client, admin_rows, connect_psycopg
from tests.security.attackers import connect_directly, log_of_copy


@pytest.fixture(scope="module")
def alice(sandbox: Settings) -> Iterator[tuple[str, str]]:
    """An ordinary user, made by the master."""
    login = "alice", "Aa0" + secrets.token_hex(8)
    with connect_psycopg(sandbox) as connection:
        connection.execute(f"CREATE USER alice PASSWORD '{login[1]}'")
    yield login
    with psycopg.connect(postgres.admin_dsn(sandbox), autocommit=True) as admin:
        admin.execute("DROP OWNED BY alice; DROP USER alice")


@pytest.fixture
def direct(sandbox: Settings) -> Iterator[psycopg.Connection]:
    with connect_directly(sandbox, sandbox.user, sandbox.password, sandbox.database) as connection:
        yield connection


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
