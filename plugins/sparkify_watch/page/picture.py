"""The mirror as routes use it: one state of it, refreshed behind them."""

import sqlite3
from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends

from sparkify_watch.mirror.store import Store


def store() -> Store:
    """Return the mirror of this web server."""
    return Store.of_airflow()


def _open(mirror: Annotated[Store, Depends(store)]) -> Iterator[sqlite3.Connection]:
    with mirror.reading() as db:
        yield db


Mirror = Annotated[sqlite3.Connection, Depends(_open)]
"""The mirror, opened for one request."""
