"""Several checks in one statement: those that count rows of the same table share a scan of it."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sparkify.checks.model import Answer, Check, TableCheck
from sparkify.checks.query_kinds import subquery
from sparkify.failures import is_transient
from sparkify.warehouse.session import Session
from sparkify.warehouse.sql import Value

_NEXT = "sparkify_next"


@dataclass(frozen=True, slots=True)
class Scan:
    """A part of the statement, of one row: the checks that it answers, and how many columns each takes."""

    sql: str
    checks: list[Check] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)


class Together:
    """One question for several checks.

    Args:
        checks: of one table, as a rule.
    """

    def __init__(self, checks: Sequence[Check]) -> None:
        self._scans: list[Scan] = []
        self.parameters: dict[str, Value] = {}
        counted: dict[str, list[tuple[Check, Sequence[str]]]] = {}
        for number, check in enumerate(checks):
            if isinstance(check, TableCheck) and check.counts:
                counts = [self._rename(number, check.parameters, count) for count in check.counts]
                counted.setdefault(check.source, []).append((check, counts))
            else:
                question = self._rename(number, check.parameters, check.question())
                self._scans.append(Scan(question, [check], [0]))
        for source, found in counted.items():
            columns = [count for _, counts in found for count in counts]
            named = ", ".join(f"{count} AS count_{n}" for n, count in enumerate(columns))
            widths = [len(counts) for _, counts in found]
            self._scans.append(Scan(f"SELECT {named} FROM {source}", [check for check, _ in found], widths))

    @property
    def question(self) -> str:
        """The statement, which sees one state of the tables."""
        names = f", 0 AS {_NEXT}, ".join(f"asked_{n}.*" for n in range(len(self._scans)))
        parts = [f"{subquery(scan.sql)} AS asked_{n}" for n, scan in enumerate(self._scans)]
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
        for scan in self._scans:
            end = columns.index(_NEXT) if _NEXT in columns else len(columns)
            begin = 0
            for check, width in zip(scan.checks, scan.widths, strict=True):
                stop = begin + width if width else end
                found[check.title] = Answer(columns[begin:stop], [row[begin:stop]])
                begin = stop
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
