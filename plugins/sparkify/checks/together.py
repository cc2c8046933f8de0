"""Several checks in one statement: those that ask for aggregates of the same rows share a scan of them."""

import time
from collections.abc import Mapping, Sequence

from sparkify.checks.model import Answer, Check, Shared, TableCheck
from sparkify.checks.query_kinds import subquery
from sparkify.failures import is_transient
from sparkify.warehouse.session import Session
from sparkify.warehouse.sql import Value

_NEXT = "sparkify_next"
# What is renamed already.
_MARK = "sparkify_renamed_"
# Rows that meet other conditions are counted apart: 2 ** 6 groups at most.
_MOST_CONDITIONS = 6


class Scan:
    """A scan of some rows: each aggregate that is asked of it is there once, however many checks ask for it.

    Where checks ask about some of the rows only, these are told apart by which conditions they meet: each row
    is looked at once for every condition and every aggregate, not for every pair of them.

    Args:
        source: what is scanned, as SQL for FROM … WHERE.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._wheres: dict[str, str] = {}
        self._parts: dict[str, str] = {}
        self._asked: dict[str, int] = {}
        self._checks: dict[str, list[int]] = {}

    def takes(self, where: str | None) -> bool:
        """Say whether it can tell the rows of one more condition apart."""
        return where is None or where in self._wheres or len(self._wheres) < _MOST_CONDITIONS

    def add(self, check: Check, shared: Shared, asked: Sequence[str]) -> None:
        """Ask for the aggregates of one more check."""
        whole = [self._whole(one, shared) for one in asked] if shared.merged else asked
        self._checks[check.title] = [self._asked.setdefault(one, len(self._asked)) for one in whole]

    def _whole(self, asked: str, shared: Shared) -> str:
        """Return an aggregate over the parts of the rows that makes the one that is asked for."""
        part = self._parts.setdefault(asked, f"part_{len(self._parts)}")
        if shared.where:
            met = self._wheres.setdefault(shared.where, f"met_{len(self._wheres)}")
            part = f"CASE WHEN {met} = 1 THEN {part} END"
        if shared.merged == "COUNT":
            return f"CAST(COALESCE(SUM({part}), 0) AS BIGINT)"
        return f"{shared.merged}({part})"

    @property
    def sql(self) -> str:
        """The scan, whose answer is one row."""
        named = (f"{one} AS asked_{place}" for one, place in self._asked.items())
        return f"SELECT {', '.join(named)} FROM {self._rows}"

    @property
    def _rows(self) -> str:
        if not self._parts:
            return self._source
        # On lines of its own: a condition may end in a comment.
        conditions = [
            f"CASE WHEN (\n{one}\n) THEN 1 ELSE 0 END AS {met}" for one, met in self._wheres.items()
        ]
        parts = [f"{one} AS {part}" for one, part in self._parts.items()]
        groups = ", ".join(str(number) for number, _ in enumerate(conditions, 1))
        grouped = f" GROUP BY {groups}" if groups else ""
        return f"(SELECT {', '.join([*conditions, *parts])} FROM {self._source}{grouped}) AS parts"

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
        self._scans: list[tuple[str, Scan]] = []
        self._names: dict[tuple[type, Value], str] = {}
        self.parameters: dict[str, Value] = {}
        for check in checks:
            shared = check.shared() if isinstance(check, TableCheck) else None
            if shared is None:
                self._alone[check.title] = self._rename(check.parameters, check.question())
            else:
                asked = [self._rename(check.parameters, one) for one in shared.asked]
                self._scan(shared).add(check, shared, asked)

    def _scan(self, shared: Shared) -> Scan:
        """Return the scan that answers, one that others share if there is any."""
        key = f"{shared.source} {shared.merged is None}"
        for known, scan in self._scans:
            if known == key and scan.takes(shared.where):
                return scan
        self._scans.append((key, Scan(shared.source)))
        return self._scans[-1][1]

    @property
    def question(self) -> str:
        """The statement, which sees one state of the tables."""
        asked = [*self._alone.values(), *(scan.sql for _, scan in self._scans)]
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
        parts: list[str | Scan] = [*self._alone, *(scan for _, scan in self._scans)]
        for part in parts:
            end = columns.index(_NEXT) if _NEXT in columns else len(columns)
            if isinstance(part, Scan):
                found |= part.answers(columns[:end], row[:end])
            else:
                found[part] = Answer(columns[:end], [row[:end]])
            columns, row = columns[end + 1 :], row[end + 1 :]
        return found

    def _rename(self, parameters: Mapping[str, Value], sql: str) -> str:
        """Give the values of a check names that they share with the same values of others."""
        for name, value in parameters.items():
            own = self._names.setdefault((type(value), value), f"value_{len(self._names)}")
            self.parameters[own] = value
            sql = sql.replace(f"%({name})s", f"%({_MARK}{own})s")
        return sql.replace(_MARK, "")


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
