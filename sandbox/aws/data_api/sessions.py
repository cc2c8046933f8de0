"""Sessions of the endpoint, in which the Data API's statements run."""

import select
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus

from sandbox.parts.settings import Settings

if TYPE_CHECKING:
    from psycopg.pq.abc import PGconn, PGresult

_CONNECT_SECONDS = 10
_ROWS = 500  # so many are in memory at a time
_COPIES = (ExecStatus.COPY_IN, ExecStatus.COPY_OUT, ExecStatus.COPY_BOTH)


@dataclass(frozen=True)
class Login:
    """Who logs in to which database."""

    user: str
    password: str = field(repr=False)
    database: str


@contextmanager
def session(settings: Settings, login: Login) -> Iterator[psycopg.Connection[Any]]:
    """A session of the endpoint's, closed afterwards.

    Raises:
        psycopg.Error: The endpoint does not answer, or refuses the login.
    """
    connection: psycopg.Connection[Any] = psycopg.connect(
        host=settings.local_host,
        port=settings.redshift_port,
        user=login.user,
        password=login.password,
        dbname=login.database,
        autocommit=True,
        sslmode="disable",
        connect_timeout=_CONNECT_SECONDS,
        application_name="redshift-data-api",
    )
    try:
        yield connection
    finally:
        connection.close()


def blocks(connection: psycopg.Connection[Any], sql: str, values: Sequence[str]) -> "Iterator[PGresult]":
    """What a statement answers with, some rows at a time, the last block without rows.

    By the protocol's extended form, which has values, and takes one statement only, as ExecuteStatement does.

    Raises:
        psycopg.Error: The statement failed.
    """
    line = connection.pgconn
    line.send_query_params(sql.encode(), [value.encode() for value in values])
    line.set_chunked_rows_mode(_ROWS)
    while line.flush():
        select.select([line.socket], [line.socket], [])
        line.consume_input()
    while (block := _next(line)) is not None:
        if block.status == ExecStatus.FATAL_ERROR:
            while _next(line) is not None:
                pass  # the session is usable afterwards
            raise error_from_result(block, connection.info.encoding)
        if block.status in _COPIES:
            raise psycopg.NotSupportedError("The Data API takes no data from its client: COPY FROM STDIN.")
        yield block


def _next(line: "PGconn") -> "PGresult | None":
    """The next block; none after the last."""
    while line.is_busy():
        select.select([line.socket], [], [])
        line.consume_input()
    return line.get_result()


def words(error: Exception) -> str:
    """An error as the API tells it: the server's words, with detail and hint on lines of their own.

    The Data API's own are UNCONFIRMED beyond the first line, which public reports show.
    """
    if not isinstance(error, psycopg.Error) or error.diag.message_primary is None:
        return str(error)
    said = error.diag
    more = {"Detail": said.message_detail, "Hint": said.message_hint, "Position": said.statement_position}
    return "\n  ".join(
        [
            f"{said.severity}: {said.message_primary}",
            *(f"{name}: {text.strip()}" for name, text in more.items() if text),
        ]
    )
