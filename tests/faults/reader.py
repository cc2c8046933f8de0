"""An analyst who reads songplays all the time and must never see half of a window."""

import threading
from collections.abc import Sequence
from typing import Any

from tests.faults.reference import Window

DANGLING = """
    SELECT COUNT(*) FROM songplays AS p LEFT JOIN songs AS s ON p.song_id = s.song_id
    WHERE p.song_id IS NOT NULL AND s.song_id IS NULL"""


class Reader(threading.Thread):
    """Polls over a connection of its own from `with` to its end.

    Args:
        connection: closed at the end.
        allowed: windows of naive UTC times, each with the numbers of plays it may have.
    """

    def __init__(self, connection: Any, allowed: Sequence[tuple[Window, set[int]]]) -> None:
        super().__init__(daemon=True)
        self.connection = connection
        self.allowed = allowed
        self.seen: set[tuple[int, ...]] = set()
        self.polls = 0
        self.error: Exception | None = None
        self._stopped = threading.Event()
        self.backend_pid = self._query("SELECT pg_backend_pid()")[0]
        windows = [
            f"SELECT COUNT(*) FROM songplays WHERE start_time >= '{start}' AND start_time < '{end}'"
            for (start, end), _ in allowed
        ]
        # One statement, so that all its numbers are of one moment.
        self._question = "SELECT " + ", ".join(f"({count})" for count in [*windows, DANGLING])

    def __enter__(self) -> "Reader":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self.join()
        self.connection.close()

    def run(self) -> None:
        try:
            while True:
                self.seen.add(self._query(self._question))
                self.polls += 1
                if self._stopped.wait(0.01):
                    return
        except Exception as error:
            self.error = error

    def check(self) -> None:
        """Assert that every number seen was an allowed one."""
        assert self.error is None, self.error
        assert self.polls
        for *counts, dangling in self.seen:
            assert dangling == 0, f"{dangling} plays pointed to a song that was not there"
            for (window, allowed), count in zip(self.allowed, counts, strict=True):
                assert count in allowed, f"{count} plays in {window}; only {allowed} make sense"

    def _query(self, sql: str) -> tuple[Any, ...]:
        cursor = self.connection.cursor()
        cursor.execute(sql)
        row = tuple(cursor.fetchone())
        self.connection.rollback()
        return row
