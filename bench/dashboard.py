"""``python -m bench.dashboard``: readers who ask the star until standard input ends, and their waits.

A process of its own, so that readers share no interpreter with the loads beside them.
"""

import itertools
import json
import re
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import psycopg
from psycopg import sql

from sandbox.demo.report import ANALYTICS, QUESTIONS
from sandbox.parts.postgres import admin_dsn
from sandbox.parts.settings import Settings

USER = "dashboard"
_PASSWORD = "a reader of the bench"  # noqa: S105 - of a sandbox that lasts as long as the bench
# PostgreSQL tells a session that has waited for a lock for longer than its deadlock_timeout, which is a
# millisecond at least, how long that was.
_TOLD = {"log_lock_waits": "on", "deadlock_timeout": "1ms", "client_min_messages": "log"}
_WAITED = re.compile(rb" acquired .* after ([\d.]+) ms$")


@dataclass
class Seen:
    """What readers saw.

    Attributes:
        statements: milliseconds that each took, in the order in which they ended.
        waits: milliseconds of each wait for a lock that took one or more.
    """

    statements: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def add(self, other: "Seen") -> None:
        """Add what another saw."""
        self.statements += other.statements
        self.waits += other.waits


class Reader(threading.Thread):
    """Asks one question after the other, as an analyst's tool does: over the endpoint, in autocommit mode.

    Args:
        settings: of the sandbox.
        questions: SELECTs, asked over and over.
        pause: seconds between an answer and the next question.
        stopped: ends it.
    """

    def __init__(
        self, settings: Settings, questions: Sequence[str], pause: float, stopped: threading.Event
    ) -> None:
        super().__init__(daemon=True)
        self.seen = Seen()
        self.error: Exception | None = None
        self._connection = connect(settings)
        self._questions, self._pause, self._stopped = questions, pause, stopped

    def run(self) -> None:
        """Ask until told to stop."""
        try:
            for question in itertools.cycle(self._questions):
                self.ask(question)
                if self._stopped.wait(self._pause):
                    return
        except Exception as error:
            self.error = error  # raised by `look`

    def ask(self, question: str) -> None:
        """Ask once, and keep what it took."""
        began = time.perf_counter()
        cursor = self._connection.cursor()
        cursor.execute(question)
        cursor.fetchall()
        self.seen.statements.append(1000 * (time.perf_counter() - began))
        told = [notice[b"M"] for notice in self._connection.notices]
        self._connection.notices.clear()
        self.seen.waits += [float(found[1]) for found in map(_WAITED.search, told) if found]

    def close(self) -> None:
        """End the session."""
        self._connection.close()


def connect(settings: Settings) -> Any:  # noqa: ANN401 - redshift_connector has no types
    """Open a reader's connection."""
    import redshift_connector  # noqa: PLC0415 - it takes a while, and only readers need it

    connection = redshift_connector.connect(
        host=settings.redshift_host,
        port=settings.redshift_port,
        user=USER,
        password=_PASSWORD,
        database=settings.database,
        ssl=False,
    )
    connection.autocommit = True
    return connection


def make_user(settings: Settings, tables: Iterable[str]) -> None:
    """Make the user whom the readers are; PostgreSQL tells it of its waits."""
    name = sql.Identifier(USER)
    make = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(name, sql.Literal(_PASSWORD))
    grant = sql.SQL("GRANT SELECT ON {} TO {}").format(sql.SQL(", ").join(map(sql.Identifier, tables)), name)
    with psycopg.connect(admin_dsn(settings), autocommit=True) as connection:
        connection.execute(make)
        for option, value in _TOLD.items():
            change = sql.SQL("ALTER ROLE {} SET {} = {}")
            connection.execute(change.format(name, sql.Identifier(option), sql.Literal(value)))
        connection.execute(grant)


def look(settings: Settings, readers: int, pause: float, until: Callable[[], object]) -> Seen:
    """Let so many readers ask until a call comes back; return what they saw.

    Raises:
        Exception: that of a reader.
    """
    stopped = threading.Event()
    texts = [(ANALYTICS / f"{name}.sql").read_text("utf-8") for name in QUESTIONS]
    # Each begins with another question.
    orders = [texts[n % len(texts) :] + texts[: n % len(texts)] for n in range(readers)]
    threads = [Reader(settings, order, pause, stopped) for order in orders]
    for thread in threads:
        thread.start()
    try:
        until()
    finally:
        stopped.set()
    return _gather(threads)


def _gather(threads: Iterable[Reader]) -> Seen:
    seen = Seen()
    for thread in threads:
        thread.join()
        thread.close()
        if thread.error:
            raise thread.error
        seen.add(thread.seen)
    return seen


def main() -> int:
    """Ask from now to the end of standard input; print what was seen, as JSON; return the exit code."""
    readers, pause = int(sys.argv[1]), float(sys.argv[2])
    print(json.dumps(asdict(look(Settings.load(), readers, pause, sys.stdin.read))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
