"""Asking the warehouse: every check in turn, whatever becomes of the others."""

import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, TypeAlias

from sparkify.checks.history import recall
from sparkify.checks.model import Answer, Check, Row
from sparkify.checks.query_kinds import shown
from sparkify.checks.together import ask_together
from sparkify.failures import FatalError, classify, describe, is_transient
from sparkify.warehouse.ledger import utc_now
from sparkify.warehouse.session import Session
from sparkify.warehouse.sql import Value, display
from sparkify.window import Window

# Characters of one value; events carry user agents of 150.
_VALUE_LENGTH = 60


Status: TypeAlias = Literal["passed", "failed", "error"]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What came of one check.

    Attributes:
        status: `passed`, `failed` (the warehouse breaks the promise) or `error` (the check could not be run).
        examples: up to three offenders.
        examples_sql: the query for them, values written in.
        error: why it could not be run, and what to do.
        value: what was measured.
        checked_at: when, naive UTC.
        seconds: of the queries.
    """

    check: Check
    status: Status
    observed: str = ""
    expected: str = ""
    examples: tuple[str, ...] = ()
    examples_sql: str = ""
    error: str = ""
    value: float | None = None
    checked_at: datetime = field(default_factory=utc_now)
    seconds: float = 0.0

    @property
    def stops(self) -> bool:
        """Whether this result fails the task."""
        return self.status != "passed" and self.check.severity == "error"


def run_checks(
    session: Session, checks: Sequence[Check], window: Window | None = None
) -> Iterator[CheckResult]:
    """Yield the result of each check in order, as it is known.

    Neighbours about one table are asked in one statement or, where that fails, each by itself.

    Args:
        session: with no transaction open; reads only.
        checks: all are run, whatever becomes of the others.
        window: the run's; a check that needs one ends in `error` without it.

    Raises:
        Exception: a transient failure such as a lost connection; trying again helps.
    """
    values: dict[str, Value] = {**window.values} if window else {}
    known = recall(session, checks, window)
    for _, group in itertools.groupby(known, key=lambda check: check.table):
        neighbours = list(group)
        answers, seconds = ask_together(session, neighbours, values)
        for check in neighbours:
            result = _run_check(session, check, {**values, **check.parameters}, answers.get(check.title))
            yield replace(result, seconds=result.seconds + seconds)


def _run_check(session: Session, check: Check, values: dict[str, Value], known: Answer | None) -> CheckResult:
    started = time.perf_counter()
    try:
        result = _answer(session, check, values, known)
    except Exception as error:
        # Whatever is wrong with one check, the others run.
        if is_transient(error):
            raise
        session.rollback()
        result = CheckResult(check, "error", error=_reason(error))
    return replace(result, seconds=time.perf_counter() - started)


def _answer(session: Session, check: Check, values: dict[str, Value], known: Answer | None) -> CheckResult:
    verdict = check.judge(known or Answer(*session.ask_named(check.question(), values)))
    status: Status = "passed" if verdict.passed else "failed"
    result = CheckResult(check, status, verdict.observed, verdict.expected, value=verdict.value)
    sql = check.examples()
    if verdict.passed or sql is None:
        return result
    columns, rows = session.ask_named(sql, values)
    examples = tuple(_example(columns, row) for row in rows)
    return replace(result, examples=examples, examples_sql=display(sql, values))


def _example(names: Sequence[str], row: Row) -> str:
    return ", ".join(f"{name}={_short(shown(value))}" for name, value in zip(names, row, strict=True))


def _short(text: str) -> str:
    return text if len(text) <= _VALUE_LENGTH else text[: _VALUE_LENGTH - 1] + "…"


def _reason(error: Exception) -> str:
    failure = describe(error)
    if failure:
        return f"{failure}. {classify(failure).remedy}"
    own = FatalError | KeyError | ValueError
    return str(error.args[0]) if isinstance(error, own) and error.args else repr(error)
