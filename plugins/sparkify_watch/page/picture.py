"""The mirror as routes use it: one state of it, refreshed behind them."""

import sqlite3
from collections.abc import Iterator
from functools import cache
from typing import Annotated

from fastapi import Depends

from definitions import DATASETS
from sparkify_watch.mirror.gate import reason_not_to_ask
from sparkify_watch.mirror.keeper import Keeper
from sparkify_watch.mirror.source import name_warehouse, open_warehouse
from sparkify_watch.mirror.store import Store

# Most refreshes find nothing new and take less: the page then shows the present.
_WAIT = 0.2


@cache
def store() -> Store:
    """Return the mirror of this web server."""
    return Store.of_airflow()


@cache
def keeper() -> Keeper:
    """Return who refreshes it."""
    return Keeper(store(), DATASETS, name_warehouse, open_warehouse, reason_not_to_ask)


def _open(
    mirror: Annotated[Store, Depends(store)], refreshing: Annotated[Keeper, Depends(keeper)]
) -> Iterator[sqlite3.Connection]:
    refreshing.look(wait=_WAIT)
    with mirror.reading() as db:
        yield db


Mirror = Annotated[sqlite3.Connection, Depends(_open)]
"""The mirror, opened for one request; whoever asks for it has it refreshed when it is old."""
