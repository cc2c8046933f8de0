"""The parts of a fault scenario: a fresh warehouse, a source, runs that can be stopped anywhere."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from sandbox.settings import Settings
from tests.faults.runs import Runner
from tests.faults.world import World
from tests.pipeline.conftest import Source, Warehouse, source, warehouse

__all__ = ["admin", "runner", "source", "warehouse", "world"]


def connect(settings: Settings) -> Any:
    """An ordinary user's connection to the endpoint."""
    import redshift_connector

    return redshift_connector.connect(
        host="127.0.0.1",
        port=settings.redshift_port,
        user=settings.user,
        password=settings.password,
        database=settings.database,
        ssl=False,
    )


@pytest.fixture
def runner() -> Iterator[Runner]:
    """Starts runs; those that still run at the end of the test are killed."""
    found = Runner()
    yield found
    found.close()


@pytest.fixture
def admin(sandbox: Settings) -> Iterator[Callable[..., list[tuple[Any, ...]]]]:
    """Queries PostgreSQL behind the endpoint as its superuser."""
    with psycopg.connect(
        host=str(sandbox.socket_dir),
        user=sandbox.admin_user,
        password=sandbox.admin_password,
        dbname=sandbox.database,
        autocommit=True,
    ) as connection:
        yield lambda sql, values=None: connection.execute(sql, values).fetchall()


@pytest.fixture
def world(warehouse: Warehouse, source: Source, runner: Runner, admin: Any, sandbox: Settings) -> World:
    """Empty tables and an empty source."""
    found = World(warehouse, source, runner, admin, lambda: connect(sandbox))
    found.create_tables()
    return found
