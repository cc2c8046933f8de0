"""Several checks in one statement: those that ask for aggregates of the same rows share a scan of them."""

import time
from collections.abc import Mapping, Sequence

from sparkify.checks.model import Answer, Check, Shared, TableCheck
from sparkify.checks.query_kinds import subquery
from sparkify.failures import is_transient
from sparkify.warehouse.session import Session
from sparkify.warehouse.sql import Value

_NEXT = "sparkify_next"


class Scan:
    """A scan of some rows: each aggregate that is asked of it is there once, however many checks ask for it.

    Args:
        source: what is scanned, as SQL for FROM … WHERE.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._places: dict[str, int] = {}
        self._checks: dict[str, list[int]] = {}

    def add(self, check: Check, asked: Sequence[str]) -> None:
        """Ask for the aggregates of one more check."""
        self._checks[check.title] = [self._places.setdefault(one, len(self._places)) for one in asked]

    @property
    def sql(self) -> str:
        """The scan, whose answer is one row."""
        named = (f"{one} AS count_{place}" for one, place in self._places.items())
        return f"SELECT {', '.join(named)} FROM {self._source}"

    def answers(self, columns: Sequence[str], row: Sequence[object]) -> dict[str, Answer]:
        """Return the answer to each check by its title."""
        return {
            title: Answer([columns[place] for place in places], [[row[place] for place in places]])
            for title, places in self._checks.items()
        }


class Together:
    """One question for several checks.

    Args:
        checks: of one table, as a rule.
    """

    def __init__(self, checks: Sequence[Check]) -> None:
        self._alone: dict[str, str] = {}
        self._scans: dict[str, Scan] = {}
        self.parameters: dict[str, Value] = {}
        for number, check in enumerate(checks):
            shared = check.shared() if isinstance(check, TableCheck) else None
            if shared is None:
                self._alone[check.title] = self._rename(number, check.parameters, check.question())
            else:
                self._share(number, check, shared)

    def _share(self, number: int, check: Check, shared: Shared) -> None:
        asked = [self._rename(number, check.parameters, one) for one in shared.asked]
        self._scans.setdefault(shared.source, Scan(shared.source)).add(check, asked)

    @property
    def question(self) -> str:
        """The statement, which sees one state of the tables."""
        asked = [*self._alone.values(), *(scan.sql for scan in self._scans.values())]
        names = f", 0 AS {_NEXT}, ".join(f"asked_{n}.*" for n in range(len(asked)))
        parts = [f"{subquery(sql)} AS asked_{n}" for n, sql in enumerate(asked)]
        return f"SELECT {names}\nFROM {' CROSS JOIN '.join(parts)}\nLIMIT 2"

    def answers(self, answer: Answer) -> dict[str, Answer]:
        """Return the answer to each check by its title.

        Raises:
            ValueError: one of the parts has not exactly one row.
        """
        if len(answer.rows) != 1:
            raise ValueError("one of the questions has not one row for an answer")
        found: dict[str, Answer] = {}
        columns, row = list(answer.columns), list(answer.rows[0])
        parts: list[str | Scan] = [*self._alone, *self._scans.values()]
        for part in parts:
            end = columns.index(_NEXT) if _NEXT in columns else len(columns)
            if isinstance(part, Scan):
                found |= part.answers(columns[:end], row[:end])
            else:
                found[part] = Answer(columns[:end], [row[:end]])
            columns, row = columns[end + 1 :], row[end + 1 :]
        return found

    def _rename(self, number: int, parameters: Mapping[str, Value], sql: str) -> str:
        """Give the values of a check names of their own."""
        for name, value in parameters.items():
            sql = sql.replace(f"%({name})s", f"%(check_{number}_{name})s")
            self.parameters[f"check_{number}_{name}"] = value
        return sql


def ask_together(
    session: Session, checks: Sequence[Check], values: Mapping[str, Value]
) -> tuple[Mapping[str, Answer], float]:
    """Return the answers to checks by their titles, and the seconds that each took; none if one has none.

    Raises:
        Exception: a transient failure.
    """
    if len(checks) == 1:
        return {}, 0.0
    together, started = Together(checks), time.perf_counter()
    try:
        answer = Answer(*session.ask_named(together.question, {**values, **together.parameters}))
        return together.answers(answer), (time.perf_counter() - started) / len(checks)
    except Exception as error:
        if is_transient(error):
            raise
        session.rollback()
        return {}, 0.0
