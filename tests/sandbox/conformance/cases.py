"""The statements of the conformance suite: read from files, run over any connection, compared."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import yaml

FOLDER = Path(__file__).parent / "cases"
# What libpq calls a type, in the words of the guide.
_TYPES = {
    16: "boolean",
    18: "char",
    19: "name",
    20: "bigint",
    21: "smallint",
    23: "integer",
    25: "text",
    26: "oid",
    700: "real",
    701: "double precision",
    1042: "char",
    1043: "varchar",
    1082: "date",
    1083: "time",
    1114: "timestamp",
    1184: "timestamptz",
    1186: "interval",
    1266: "timetz",
    1700: "numeric",
}


@dataclass(frozen=True)
class Case:
    """One statement and what Redshift does with it.

    Args:
        name: File and number, and the statement.
        sql: The statement.
        source: Where the answer is documented or was recorded.
        setup: Statements before it, in the same session; its file's come first.
        rows: The rows as text, in any order unless the statement has ORDER BY; None: not compared.
        types: Types of the columns; None: not compared.
        columns: Names of the columns; None: not compared.
        error: SQLSTATE of the refusal, "" for any; None: it runs.
        message: What the error's message contains.
        is_unconfirmed: No document says so yet; a cluster is to tell.
    """

    name: str
    sql: str
    source: str
    setup: tuple[str, ...] = ()
    rows: list[list[str | None]] | None = None
    types: list[str] | None = None
    columns: list[str] | None = None
    error: str | None = None
    message: str = ""
    is_unconfirmed: bool = False

    @property
    def is_refusal(self) -> bool:
        """Whether Redshift does not run it."""
        return self.error is not None

    @property
    def asks_of_setup(self) -> bool:
        """Whether it asks about the statement before it, hence needs its setup right before it."""
        return "pg_last_" in self.sql.lower()

    @property
    def is_question(self) -> bool:
        """Whether it leaves everything as it was."""
        return self.sql.lower().startswith(("select", "show")) and " into " not in self.sql.lower()


@dataclass(frozen=True)
class Answer:
    """What a server said: columns, types and rows as text, or an error."""

    columns: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    rows: list[list[str | None]] = field(default_factory=list)
    error: str | None = None
    message: str = ""


def all_cases(folder: Path = FOLDER) -> list[Case]:
    """The cases of every file, in the order of the files' names."""
    return [case for file in sorted(folder.glob("*.yaml")) for case in _cases_of(file)]


def _cases_of(file: Path) -> Iterator[Case]:
    content = yaml.safe_load(file.read_text())
    for number, given in enumerate(content["cases"], 1):
        setup = (*content.get("setup", ()), *given.pop("setup", ()))
        unconfirmed = given.pop("unconfirmed", False)
        rows = given.pop("rows", None)
        yield Case(
            name=f"{file.stem}-{number}: {' '.join(given['sql'].split())[:80]}",
            source=given.pop("source", content.get("source", "")),
            setup=setup,
            rows=None if rows is None else [[_text(value) for value in row] for row in rows],
            is_unconfirmed=unconfirmed,
            **given,
        )


def _text(value: object) -> str | None:
    """A value of a file in the text that servers send: YAML reads true as a truth."""
    if value is None:
        return None
    return {True: "t", False: "f"}[value] if isinstance(value, bool) else str(value)


class Asking:
    """Runs cases over a connection, each as if it were in a transaction of its own, which is rolled back.

    Queries of the same setup share one transaction: they change nothing.

    Args:
        connection: Does not commit by itself.
    """

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._ready: tuple[str, ...] | None = None

    def answer(self, case: Case) -> Answer:
        """What the server answers to the case."""
        try:
            if case.asks_of_setup or self._ready != case.setup:
                self._begin(case.setup)
            found = _read(self._connection.execute(case.sql.encode()))
        except psycopg.Error as error:
            found = Answer(error=error.sqlstate or "", message=error.diag.message_primary or str(error))
        if found.error is not None or not case.is_question:
            self._ready = None
        return found

    def _begin(self, setup: tuple[str, ...]) -> None:
        self._ready = None
        self._connection.rollback()
        for statement in setup:
            self._connection.execute(statement.encode())
        self._ready = setup


def _read(cursor: psycopg.Cursor) -> Answer:
    result = cursor.pgresult
    if result is None or not cursor.description:
        return Answer()
    width = range(result.nfields)
    values = [[result.get_value(row, column) for column in width] for row in range(result.ntuples)]
    return Answer(
        columns=[(result.fname(column) or b"").decode() for column in width],
        types=[_TYPES.get(result.ftype(column), str(result.ftype(column))) for column in width],
        rows=[[value if value is None else value.decode() for value in row] for row in values],
    )


def difference(case: Case, found: Answer) -> str | None:
    """How an answer differs from what the case says; None if it does not."""
    if case.error is not None:
        return _other_error(case, case.error, found)
    if found.error is not None:
        return f"error {found.error}: {found.message}"
    for name in ("columns", "types"):
        expected, seen = getattr(case, name), getattr(found, name)
        if expected is not None and expected != seen:
            return f"{name} {seen}, expected {expected}"
    if case.rows is None:
        return None
    ordered = "order by" in case.sql.lower()
    expected, seen = (rows if ordered else sorted(rows, key=repr) for rows in (case.rows, found.rows))
    return None if expected == seen else f"rows {seen}, expected {expected}"


def _other_error(case: Case, code: str, found: Answer) -> str | None:
    if found.error is None:
        return f"runs ({found.rows}), expected error {code} {case.message}".strip()
    if code not in ("", found.error) or case.message not in found.message:
        return f"error {found.error} {found.message!r}, expected {code} {case.message!r}"
    return None
