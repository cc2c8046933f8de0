"""A load is tried again, in a session of its own, when that can help."""

import random
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from sparkify.failures import explain, is_transient
from sparkify.warehouse.session import Connection, Log, Session

Result = TypeVar("Result")


def run_load(
    connect: Callable[[], Connection],
    load: Callable[[Session], Result],
    *,
    what: str,
    log: Log,
    journal: list[str],
    tries: int = 5,
) -> Result:
    """Run `load` in a fresh session and again after a transient failure, with growing random pauses.

    Args:
        connect: opens a connection; every try gets its own, so temp tables and half-done work are gone.
        load: does the work and commits.
        what: the action for messages, for example `load_users: writing users over redshift_default`.
        log: tells of every failed try.
        journal: filled with the statements of the last try.
        tries: how often at most; pauses grow from about 1 to about 8 seconds.

    Raises:
        Exception: the last error, untouched, when it is fatal or the tries are used up.
    """
    for attempt in range(1, tries + 1):
        journal.clear()
        try:
            return _run_once(connect, load, log, journal)
        except Exception as error:
            if attempt == tries or not is_transient(error):
                raise
            pause = min(8.0, 2.0 ** (attempt - 1)) * random.uniform(0.5, 1.5)  # noqa: S311 - jitter, no secret
            log.warning("%s Try %d of %d follows in %.1f s.", explain(error, what), attempt + 1, tries, pause)
            time.sleep(pause)
    raise AssertionError("unreachable")


def _run_once(
    connect: Callable[[], Connection], load: Callable[[Session], Result], log: Log, journal: list[str]
) -> Result:
    connection = connect()
    try:
        return load(Session(connection, log, journal))
    finally:
        # Closing ends the session on the server too: a killed or failed try leaves nothing running or locked.
        with suppress(Exception):
            connection.close()
