"""What runs statements, each in a session of its own, while their clients ask how far they are."""

import contextlib
import itertools
import logging
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from sandbox.aws.data_api import parameters
from sandbox.aws.data_api.messages import invalid
from sandbox.aws.data_api.results import LARGEST, Result, TooLargeError, column
from sandbox.aws.data_api.sessions import Login, blocks, session, words
from sandbox.aws.data_api.statements import Run, Statement
from sandbox.parts.settings import Settings

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

# So many run at a time, the others wait as SUBMITTED.
_RUNNING = 16

# How long CancelStatement waits for the end, and after which time it asks (again).
_CANCEL_SECONDS = 5
_CANCEL_AGAIN_SECONDS = 0.02

log = logging.getLogger("sandbox.aws")


class Runner:
    """Runs statements on the endpoint.

    Args:
        settings: The sandbox.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._folder = settings.home / "data-api"
        self._pool = ThreadPoolExecutor(_RUNNING, thread_name_prefix="data-api")
        self._lock = threading.Lock()
        self._connections: dict[str, psycopg.Connection[Any]] = {}
        shutil.rmtree(self._folder, ignore_errors=True)

    def submit(self, statement: Statement, login: Login) -> None:
        """Begin to run a statement."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._pool.submit(self._run, statement, login)

    def cancel(self, statement: Statement) -> None:
        """Stop a statement that is on its way.

        Raises:
            RefusalError: It has ended.
        """
        with self._lock:
            if statement.ended.is_set():
                raise invalid(f"Could not cancel a query that is already in {statement.run.status} state.")
            statement.cancelled = True
        until = time.monotonic() + _CANCEL_SECONDS
        # Once is not enough: a request that reaches a session between two statements stops neither.
        while not statement.ended.wait(_CANCEL_AGAIN_SECONDS) and time.monotonic() < until:
            with self._lock:
                connection = self._connections.get(statement.id)
            if connection is not None:
                with contextlib.suppress(psycopg.Error):  # out of time, or it is just ending
                    connection.cancel_safe(timeout=_CANCEL_SECONDS)

    def _run(self, statement: Statement, login: Login) -> None:
        try:
            self._enter(statement, "PICKED")
            with session(self._settings, login) as connection:
                with self._lock:
                    self._connections[statement.id] = connection
                statement.backend = connection.info.backend_pid
                self._enter(statement, "STARTED")
                _execute(statement, connection, self._folder)
        except Exception as error:  # whatever it is, the statement has to end
            if not isinstance(error, psycopg.Error | TooLargeError | _CancelledError):
                log.exception("the Data API's statement %s failed", statement.id)
            _fail(statement, error)
        finally:
            with self._lock:
                self._connections.pop(statement.id, None)
                statement.ended.set()

    def _enter(self, statement: Statement, status: str) -> None:
        if statement.cancelled:
            raise _CancelledError
        statement.run.become(status)


class _CancelledError(Exception):
    """The statement was cancelled before it reached the endpoint."""


def _execute(statement: Statement, connection: psycopg.Connection[Any], folder: Path) -> None:
    """Run a statement, or all of a batch, and say how it ended."""
    began = time.monotonic_ns()
    given, failed = statement.request.parameters, False
    if statement.request.atomic:
        connection.execute("BEGIN")
    for part in statement.parts:
        try:
            if statement.cancelled:
                raise _CancelledError
            _execute_one(part, connection, given, folder)
        except (psycopg.Error, TooLargeError):
            if statement.request.atomic is not False or statement.cancelled:
                raise
            failed = True
    if statement.request.atomic:
        connection.execute("COMMIT")
    if statement.is_batch:
        statement.run.nanoseconds = time.monotonic_ns() - began
        statement.run.rows = sum(max(part.rows, 0) for part in statement.parts)
        statement.run.become("FAILED" if failed else "FINISHED", _first_error(statement) if failed else None)


def _execute_one(
    part: Run, connection: psycopg.Connection[Any], given: Sequence[dict[str, str]], folder: Path
) -> None:
    """Run one statement and keep its result."""
    part.become("STARTED")
    began = time.monotonic_ns()
    sql, values = parameters.number(part.sql, given)
    try:
        part.rows = _keep(part, blocks(connection, sql, values), folder)
    except (psycopg.Error, TooLargeError) as error:
        _drop_result(part)
        part.nanoseconds = time.monotonic_ns() - began
        part.become("FAILED", _words(error))
        raise
    part.nanoseconds = time.monotonic_ns() - began
    part.become("FINISHED")


def _keep(part: Run, found: "Iterator[PGresult]", folder: Path) -> int:
    """Keep a statement's result, if it has one; how many rows it returned or changed."""
    first = next(found)
    if not first.nfields:
        list(found)  # to the end, as the next statement may be
        return first.command_tuples or 0
    columns = [
        column((first.fname(number) or b"").decode(), first.ftype(number), first.fmod(number))
        for number in range(first.nfields)
    ]
    part.result = Result(folder, columns)
    part.result.keep(row for block in itertools.chain([first], found) for row in _rows(block))
    return part.result.rows


def _rows(block: "PGresult") -> Iterator[list[str | None]]:
    for row in range(block.ntuples):
        values = [block.get_value(row, number) for number in range(block.nfields)]
        yield [None if value is None else value.decode() for value in values]


def _fail(statement: Statement, error: Exception) -> None:
    """Say that a statement ended badly, or was stopped."""
    status = "ABORTED" if statement.cancelled else "FAILED"
    for part in statement.parts:
        # UNCONFIRMED: what those of a batch are that came before the one that failed.
        if part.status not in {"FAILED", "FINISHED"} or statement.cancelled:
            part.become("ABORTED")
        if statement.request.atomic is not False:  # whatever there was is rolled back
            _drop_result(part)
    text = _words(error)
    if statement.is_batch:
        text = _first_error(statement) or text
    statement.run.become(status, None if statement.cancelled else text)


def _first_error(statement: Statement) -> str | None:
    """The error of a batch: which of its statements failed, and how."""
    for number, part in enumerate(statement.parts, 1):
        if part.error:
            return f"Query #{number} failed with {part.error}"
    return None


def _words(error: Exception) -> str:
    if isinstance(error, TooLargeError):
        return f"ERROR: The result exceeds the maximum result size of {LARGEST} bytes."
    return words(error)


def _drop_result(part: Run) -> None:
    result, part.result = part.result, None
    if result is not None:
        result.remove()
