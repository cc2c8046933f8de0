"""Who owns and reads the tables: the loader, made by the master user, and the group of readers."""

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import Any

import pytest
import redshift_connector

from definitions import DATASETS
from sandbox.parts.settings import Settings
from sparkify.failures import FatalError
from sparkify.warehouse.grants import grant_read, make_loader
from sparkify.warehouse.reset import recreate
from sparkify.warehouse.schema import made_relation, make_missing, with_ops
from sparkify.warehouse.session import Session
from tests.sandbox.redshift.copying import admin_connection
from tests.sandbox.redshift.endpoint_clients import admin_rows, connect_redshift
from tests.system.conftest import ROOT

pytest_plugins = ("tests.pipeline",)

TEXTS = [(ROOT / "include" / file).read_text() for dataset in DATASETS for file in dataset.schema]
DDL = with_ops(TEXTS)
TABLES = [made.name for sql in DDL if (made := made_relation(sql)) and made.kind != "SCHEMA"]
PUBLISHED = [table for dataset in DATASETS for table in dataset.published]
STAGING = ["staging_events", "staging_songs"]


class NoLog:
    """A log that nobody reads."""

    def debug(self, message: str, /, *args: object) -> None: ...
    def info(self, message: str, /, *args: object) -> None: ...
    def warning(self, message: str, /, *args: object) -> None: ...


@dataclass
class Warehouse:
    """The sandbox's warehouse with a loader and readers of the test's own."""

    settings: Settings
    stack: ExitStack
    number: str = field(default_factory=lambda: secrets.token_hex(4))

    @property
    def loader(self) -> str:
        return f"loader_{self.number}"

    @property
    def group(self) -> str:
        return f"readers_{self.number}"

    @property
    def reader(self) -> str:
        return f"reader_{self.number}"

    def session(self, user: str | None = None) -> Session:
        name = user or self.settings.user
        connection = connect_redshift(self.settings, user=name)
        return Session(self.stack.enter_context(closing(connection)), NoLog())

    def make_loader(self, session: Session | None = None) -> list[str]:
        return make_loader(session or self.session(), self.loader, self.group, TABLES, PUBLISHED)

    def let_in(self, user: str) -> None:
        """Give a user the password of this module's sessions, as IAM does for minutes."""
        with admin_connection(self.settings, autocommit=True) as admin:
            admin.execute(f"ALTER ROLE {user} LOGIN PASSWORD '{self.settings.password}'")

    def make_reader(self) -> Session:
        """A person who belongs to the readers, and his session."""
        master = self.session()
        master.execute(f"CREATE USER {self.reader} PASSWORD DISABLE IN GROUP {self.group}")
        master.commit()
        self.let_in(self.reader)
        return self.session(self.reader)

    def owners(self) -> dict[str, str]:
        """The owner of each of our tables, views and schemas that are there."""
        rows = admin_rows(
            self.settings,
            """
            SELECT nspname || '.' || relname, pg_get_userbyid(relowner) FROM pg_class
            JOIN pg_namespace ON pg_namespace.oid = relnamespace
            WHERE nspname IN ('public', 'ops') AND relkind IN ('r', 'v')
            UNION ALL SELECT nspname, pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'ops'
            """,
        )
        ours = {name if "." in name else f"public.{name}" for name in TABLES} | {"ops"}
        return {name: owner for name, owner in rows if name in ours}


@pytest.fixture
def world(sandbox: Settings) -> Iterator[Warehouse]:
    with ExitStack() as stack:
        found = Warehouse(sandbox, stack)
        clear(found)
        yield found
    clear(found)


def clear(world: Warehouse) -> None:
    """Take away the tables and the users of a test."""
    with admin_connection(world.settings, autocommit=True) as admin:
        for name in TABLES:
            if "." not in name:
                kind = "VIEW" if name in ("plays", "catalogue") else "TABLE"
                admin.execute(f"DROP {kind} IF EXISTS public.{name} CASCADE")
        admin.execute("DROP SCHEMA IF EXISTS ops CASCADE")
        for user in (world.loader, world.reader, world.group):
            if admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [user]).fetchone():
                # What the master has granted, only the master takes back.
                admin.execute(f"SET ROLE {world.settings.user}")
                for privileges in ("DATABASE sparkify", "svv_table_info"):
                    admin.execute(f"REVOKE ALL ON {privileges} FROM {user} CASCADE")
                admin.execute("RESET ROLE")
                admin.execute(f"DROP OWNED BY {user} CASCADE")
                admin.execute(f"DROP ROLE {user}")


@pytest.fixture
def old(world: Warehouse) -> Warehouse:
    """A warehouse as earlier versions left it: the master's, staging tables and all open to the group."""
    master = world.session()
    master.execute(f"CREATE GROUP {world.group}")
    master.execute(f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO GROUP {world.group}")
    make_missing(master, DDL)
    return world


def refusal(session: Session, sql: str) -> str:
    """The SQLSTATE of a statement that must fail."""
    with pytest.raises(redshift_connector.ProgrammingError) as caught:
        session.execute(sql)
    session.rollback()
    return str(caught.value.args[0]["C"])


def test_the_loader_is_no_superuser_and_makes_everything_itself(world: Warehouse):
    assert world.make_loader() == []
    world.let_in(world.loader)
    loads = world.session(world.loader)
    make_missing(loads, DDL)
    assert set(world.owners().values()) == {world.loader}
    assert loads.query("SELECT COUNT(*) FROM svv_table_info")
    for power in ("CREATE USER climber PASSWORD DISABLE", "CREATE GROUP climbers"):
        assert refusal(loads, power) == "42501"


def test_a_second_run_changes_nothing(world: Warehouse):
    world.make_loader()
    before = rights(world)
    assert world.make_loader() == []
    assert rights(world) == before


def rights(world: Warehouse) -> list[tuple[Any, ...]]:
    query = """
        SELECT nspacl::text FROM pg_namespace WHERE nspname = 'public'
        UNION ALL SELECT datacl::text FROM pg_database WHERE datname = 'sparkify'
        UNION ALL SELECT rolname || CASE WHEN rolcreaterole THEN 'may' ELSE '' END
        FROM pg_roles WHERE rolname IN (%s, %s)
    """
    return admin_rows(world.settings, query, world.loader, world.group)


def test_what_the_master_owns_is_handed_over(old: Warehouse):
    assert set(old.owners().values()) == {old.settings.user}
    assert set(old.make_loader()) == set(old.owners())
    assert set(old.owners().values()) == {old.loader}
    assert old.make_loader() == []


def test_readers_of_an_old_warehouse_keep_the_star_and_lose_the_rest(old: Warehouse):
    reader = old.make_reader()
    assert reader.query("SELECT COUNT(*) FROM staging_events") == [(0,)]
    reader.rollback()
    old.make_loader()
    check_reader(reader)


def check_reader(reader: Session) -> None:
    """A person reads the star and nothing else, and writes nothing."""
    for table in PUBLISHED:
        assert reader.query(f"SELECT COUNT(*) FROM {table}") == [(0,)]
    reader.rollback()
    for table in (*STAGING, "ops.loads", "ops.rejected_rows"):
        assert refusal(reader, f"SELECT COUNT(*) FROM {table}") == "42501"
    assert refusal(reader, "DELETE FROM users") == "42501"
    assert refusal(reader, "LOCK TABLE users") == "42501"


def test_readers_read_the_star_again_as_soon_as_it_is_made_again(world: Warehouse):
    world.make_loader()
    world.let_in(world.loader)
    loads, reader = world.session(world.loader), world.make_reader()
    make_missing(loads, DDL)
    grant_read(loads, world.group, PUBLISHED)
    loads.commit()
    check_reader(reader)
    recreate(loads, TEXTS, world.group, PUBLISHED)
    check_reader(reader)


def test_tables_are_made_again_where_no_group_reads_them(world: Warehouse):
    world.make_loader()
    world.let_in(world.loader)
    assert set(recreate(world.session(world.loader), TEXTS, "nobody_reads", PUBLISHED)) == set(TABLES)


class Cut(Exception):  # noqa: N818 - the end of a connection, not a fault
    """The connection ends."""


class CutSession(Session):
    """A session that is lost before one of its statements."""

    left = 0

    def execute(self, sql: str, values: Any = None) -> int:
        if self.left == 0:
            self.connection.close()
            raise Cut
        self.left -= 1
        return super().execute(sql, values)


def test_cut_short_anywhere_it_has_done_nothing_and_the_next_run_does_all(old: Warehouse):
    before, cuts = old.owners(), 0
    for left in range(100):
        session = CutSession(connect_redshift(old.settings), NoLog())
        session.left = left
        try:
            old.make_loader(session)
        except Cut:
            cuts += 1
            assert old.owners() == before
            found = admin_rows(old.settings, "SELECT 1 FROM pg_roles WHERE rolname = %s", old.loader)
            assert found == []
            continue
        session.connection.close()
        break
    assert cuts > len(TABLES)
    assert set(old.owners().values()) == {old.loader}


def test_a_third_users_table_is_named_and_nothing_is_changed(old: Warehouse):
    master = old.session()
    master.execute(f"CREATE USER {old.reader} PASSWORD DISABLE")
    master.execute(f"ALTER TABLE songs OWNER TO {old.reader}")
    master.commit()
    before = old.owners()
    with pytest.raises(FatalError, match=rf"public\.songs of {old.reader}"):
        old.make_loader()
    assert old.owners() == before
