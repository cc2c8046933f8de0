"""The parts of a fault scenario: a fresh warehouse, a source, runs that can be stopped anywhere."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from sandbox.settings import Settings
from tests.faults.endpoint import Endpoint
from tests.faults.proxy import S3Proxy
from tests.faults.runs import Runner
from tests.faults.world import World
from tests.pipeline.conftest import Source, Warehouse, source, warehouse

__all__ = ["admin", "endpoint", "proxy", "runner", "source", "warehouse", "world"]


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


@contextlib.contextmanager
def administrate(settings: Settings) -> Iterator[Callable[..., list[tuple[Any, ...]]]]:
    """Query PostgreSQL behind the endpoint as its superuser."""
    with psycopg.connect(
        host=str(settings.socket_dir),
        user=settings.admin_user,
        password=settings.admin_password,
        dbname=settings.database,
        autocommit=True,
    ) as connection:
        yield lambda sql, values=None: connection.execute(sql, values).fetchall()


@pytest.fixture
def admin(sandbox: Settings) -> Iterator[Callable[..., list[tuple[Any, ...]]]]:
    """Queries PostgreSQL behind the session's endpoint."""
    with administrate(sandbox) as query:
        yield query


@pytest.fixture
def world(warehouse: Warehouse, source: Source, runner: Runner, admin: Any, sandbox: Settings) -> World:
    """Empty tables and an empty source."""
    found = World(warehouse, source, runner, admin, lambda: connect(sandbox))
    found.create_tables()
    return found


@pytest.fixture
def proxy(sandbox: Settings) -> Iterator[S3Proxy]:
    """Stands before the AWS API server; forwards until a test adds faults."""
    found = S3Proxy(sandbox.aws_port)
    yield found
    found.close()


@pytest.fixture
def endpoint(sandbox: Settings, proxy: S3Proxy, runner: Runner) -> Iterator[Endpoint]:
    """An endpoint of the test's own, which reads S3 through the proxy; all runs of the test use it."""
    found = Endpoint(sandbox, proxy.port)
    runner.environment |= found.environment
    yield found
    found.kill()
