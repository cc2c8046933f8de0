"""Users who are no superusers: what Redshift lets them do, and what it refuses."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import psycopg
import pytest

from sandbox.parts import postgres, rights
from sandbox.parts.settings import Settings
from tests.sandbox.aws.test_clusters_login import remove_user
from tests.sandbox.redshift.endpoint_clients import Client, admin_rows, connect_psycopg


@pytest.fixture
def connect(sandbox: Settings) -> Iterator[Callable[[str], Client]]:
    with ExitStack() as stack:
        yield lambda user: Client(stack.enter_context(closing(connect_psycopg(sandbox, user=user))))


@pytest.fixture
def master(connect, sandbox: Settings) -> Client:
    return connect(sandbox.user)


@pytest.fixture
def user(sandbox: Settings, master: Client) -> Iterator[str]:
    """An ordinary user, made by the master."""
    name = f"user_{secrets.token_hex(4)}"
    master.run(f"CREATE USER {name} PASSWORD '{sandbox.password}'")
    yield name
    master.run(f"REVOKE ALL ON DATABASE sparkify FROM {name}")
    master.run(f"REVOKE ALL ON svv_table_info FROM {name}")
    remove_user(sandbox, name)


@pytest.fixture
def table(master: Client, user: str) -> Iterator[str]:
    """A table of the master's."""
    name = f"t_{user}"
    master.run(f"CREATE TABLE {name} (a INTEGER)")
    yield name
    master.run(f"DROP TABLE IF EXISTS {name}")


def test_a_schema_takes_the_right_to_create_on_the_database(connect, master, user):
    session = connect(user)
    assert session.fail(f"CREATE SCHEMA {user}")[0] == "42501"
    master.run(f"GRANT CREATE ON DATABASE sparkify TO {user}")
    session.run(f"CREATE SCHEMA {user}")
    session.run(f"CREATE TABLE {user}.t (a INTEGER)")


def test_everybody_makes_tables_in_public_and_temp_tables(connect, user):
    session = connect(user)
    session.run(f"CREATE TABLE public.{user}_own (a INTEGER)")
    session.run("CREATE TEMP TABLE passing (a INTEGER)")
    session.run(f"DROP TABLE public.{user}_own")


@pytest.mark.parametrize(
    "statement",
    [
        *(
            "SELECT * FROM {t}",
            "INSERT INTO {t} VALUES (1)",
            "DELETE FROM {t}",
            "TRUNCATE {t}",
            "DROP TABLE {t}",
        ),
        *("ALTER TABLE {t} ADD COLUMN b INTEGER", "ALTER TABLE {t} OWNER TO {user}", "LOCK TABLE {t}"),
        *("GRANT SELECT ON {t} TO {user}", "CREATE USER climber PASSWORD DISABLE", "CREATE GROUP climbers"),
        *("SELECT * FROM svv_table_info", "SELECT * FROM stv_tbl_perm"),
    ],
)
def test_what_is_not_ones_own_takes_a_right(connect, user, table, statement):
    text = statement.format(t=table, user=user)
    if text.startswith("LOCK"):
        text = f"BEGIN; {text}"
    assert connect(user).fail(text)[0] == "42501"


def test_vacuum_of_anothers_table_ends_well_and_does_nothing(connect, user, table):
    """ "The operation completes successfully but has no effect" (guide, VACUUM)."""
    connect(user).run(f"VACUUM {table}")


def test_the_master_hands_over_tables_and_schemas_and_has_its_rights_on_them(connect, master, user, table):
    master.run(f"GRANT CREATE ON DATABASE sparkify TO {user}")
    master.run(f"CREATE SCHEMA s_{user}")
    master.run(f"ALTER SCHEMA s_{user} OWNER TO {user}")
    master.run(f"ALTER TABLE {table} OWNER TO {user}")
    session = connect(user)
    session.run(f"INSERT INTO {table} VALUES (1)")
    session.run(f"CREATE TABLE s_{user}.t (a INTEGER)")
    assert master.run(f"SELECT a FROM {table}") == [(1,)]
    master.run(f"DROP TABLE s_{user}.t")


def test_a_superusers_view_is_read_by_those_whom_it_is_granted(connect, master, user):
    master.run(f"GRANT SELECT ON svv_table_info TO {user}")
    connect(user).run("SELECT COUNT(*) FROM svv_table_info")


def test_a_user_without_a_password_is_let_in_by_none(sandbox, connect, master, user):
    connect(user).run("SELECT 1")
    master.run(f"ALTER USER {user} PASSWORD DISABLE")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(user)


@pytest.mark.parametrize(
    "statement",
    ["GRANT ASSUMEROLE ON default TO loader FOR COPY", "REVOKE ASSUMEROLE ON ALL FROM PUBLIC FOR ALL"],
)
def test_assumerole_is_not_in_the_sandbox(master, statement):
    state, said = master.fail(statement)
    assert (state, said.endswith("ASSUMEROLE is not in the sandbox")) == ("0A000", True)


def test_an_older_sandboxs_tables_become_the_new_loaders(sandbox, master, user):
    loader = f"loader_{user}"
    with postgres.connect_admin(sandbox, autocommit=True) as admin:
        admin.execute("DROP SCHEMA IF EXISTS ops CASCADE")
    master.run("CREATE SCHEMA ops")
    master.run("CREATE TABLE ops.kept (a INTEGER)")
    try:
        with postgres.connect_admin(sandbox, autocommit=True) as admin:
            for _ in range(2):
                rights.make_loader(admin, sandbox.database, sandbox.user, loader)
        owners = """
            SELECT nspowner::regrole::text, relowner::regrole::text FROM pg_class
            JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE nspname = 'ops'
        """
        assert set(admin_rows(sandbox, owners)) == {(loader, loader)}
        assert master.run("SELECT COUNT(*) FROM ops.kept") == [(0,)]
    finally:
        master.run("DROP SCHEMA ops CASCADE")
        remove_user(sandbox, loader)
