"""The parts of a fault scenario: a fresh warehouse, a source, runs that can be stopped anywhere."""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from sandbox.parts import postgres
from sandbox.parts.settings import Settings
from tests.faults.datasets import BY_NAME, SPARKIFY, UnderTest
from tests.faults.endpoint import Endpoint
from tests.faults.proxy import S3Proxy
from tests.faults.reader import APPLICATION, Reader
from tests.faults.runs import Runner
from tests.faults.world import World
from tests.pipeline import Source, Warehouse, source, warehouse

HERE = Path(__file__).parent
# How many tests of this folder each file has, whatever is selected of them.
COLLECTED = pytest.StashKey[Counter[str]]()

__all__ = ["admin", "both", "endpoint", "proxy", "runner", "source", "warehouse", "world"]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with what may take long, so that in the end no worker waits for one; and count the scenarios."""
    places = [n for n, item in enumerate(items) if item.path.parent == HERE]
    ours = [items[n] for n in places]
    config.stash[COLLECTED] = Counter(item.path.name for item in ours)
    for n, item in zip(places, sorted(ours, key=_allowed_seconds, reverse=True), strict=True):
        items[n] = item


def _allowed_seconds(item: pytest.Item) -> float:
    mark = item.get_closest_marker("timeout")
    return float(mark.args[0]) if mark else 0


def connect(settings: Settings) -> Any:
    """An ordinary user's connection to the endpoint."""
    import redshift_connector

    return redshift_connector.connect(
        host="127.0.0.1",
        port=settings.redshift_port,
        user=settings.loader,
        password=settings.password,
        database=settings.database,
        application_name="fault_analyst",
        ssl=False,
    )


@pytest.fixture
def runner() -> Iterator[Runner]:
    """Starts runs; those that still run at the end of the test are killed."""
    found = Runner()
    yield found
    found.close()


def connect_to_postgres(settings: Settings, application: str, options: str = "") -> psycopg.Connection:
    """The superuser's connection to PostgreSQL behind the endpoint, each statement its own transaction."""
    return psycopg.connect(
        postgres.admin_dsn(settings), application_name=application, options=options, autocommit=True
    )


@contextlib.contextmanager
def administrate(settings: Settings) -> Iterator[Callable[..., list[tuple[Any, ...]]]]:
    """Query PostgreSQL behind the endpoint as its superuser."""
    with connect_to_postgres(settings, "fault_admin") as connection:
        yield lambda sql, values=None: connection.execute(sql, values).fetchall()


@contextlib.contextmanager
def new_world(
    warehouse: Warehouse,
    source: Source,
    runner: Runner,
    admin: Any,
    settings: Settings,
    datasets: Iterable[UnderTest] = (SPARKIFY,),
) -> Iterator[World]:
    """Empty tables of datasets, and of each a reader who looks at them from the beginning to the end."""
    # A load that a test stops under its lock must not keep the reader from ending.
    connect = partial(connect_to_postgres, settings, APPLICATION, "-c lock_timeout=200")
    found = World(warehouse, source, runner, admin, [Reader(one, connect) for one in datasets])
    found.create_tables()
    for reader in found.readers:
        reader.start()
    try:
        yield found
    finally:
        for reader in found.readers:
            reader.stop()
    assert all(reader.polls for reader in found.readers)
    assert found.complaints() == []


@pytest.fixture
def admin(sandbox: Settings) -> Iterator[Callable[..., list[tuple[Any, ...]]]]:
    """Queries PostgreSQL behind the session's endpoint."""
    with administrate(sandbox) as query:
        yield query


@pytest.fixture
def world(
    warehouse: Warehouse, source: Source, runner: Runner, admin: Any, sandbox: Settings
) -> Iterator[World]:
    """Empty tables and an empty source."""
    with new_world(warehouse, source, runner, admin, sandbox) as found:
        yield found


@pytest.fixture
def both(
    warehouse: Warehouse, source: Source, runner: Runner, admin: Any, sandbox: Settings
) -> Iterator[World]:
    """A world of Sparkify and of the stores."""
    with new_world(warehouse, source, runner, admin, sandbox, BY_NAME.values()) as found:
        yield found


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
