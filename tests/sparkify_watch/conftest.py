"""A warehouse with the tables of ops, sessions of it, and an empty mirror."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from sparkify.warehouse.schema import with_ops
from sparkify.warehouse.session import Session
from sparkify_watch.mirror.store import Store
from tests.pipeline import warehouse
from tests.sandbox.redshift.endpoint_clients import connect_redshift
from tests.sparkify_watch.records import Ops

__all__ = ["warehouse"]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "private" / "mirror.sqlite3")


@pytest.fixture
def connect(sandbox):
    """Open sessions of the warehouse as a context."""

    @contextmanager
    def open_one() -> Iterator[Session]:
        connection = connect_redshift(sandbox, user=sandbox.loader)
        try:
            yield Session(connection, logging.getLogger("tests"))
        finally:
            connection.close()

    return open_one


@pytest.fixture
def session(connect, warehouse):
    with ExitStack() as opened:
        yield opened.enter_context(connect())


@pytest.fixture
def ops(session) -> Ops:
    """The tables of ops, empty."""
    for statement in with_ops(()):
        session.execute(statement)
    session.commit()
    return Ops(session)
