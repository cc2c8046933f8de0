"""Results for people: one table for the log, one message for the failure, counts for the next task."""

from collections.abc import Sequence
from typing import TypedDict

from sparkify.checks.run import CheckResult
from sparkify.text import printable, text_table
from sparkify.warehouse.ledger import TaskRun
from sparkify.warehouse.sql import quote_literal

_HEADINGS = ("status", "severity", "kind", "table", "check", "observed", "expected", "seconds", "examples")
# Characters of one cell; the task's error and ops.quality_results hold the whole text.
_CELL = 60


class Counts(TypedDict):
    """How many checks ended in which way; the four add up to all."""

    passed: int
    failed: int
    warned: int
    errors: int


def count_results(results: Sequence[CheckResult]) -> Counts:
    """Count what passed, failed (severity error), warned (failed with severity warn) and could not be run."""
    failed = [result for result in results if result.status == "failed"]
    return Counts(
        passed=sum(result.status == "passed" for result in results),
        failed=sum(result.stops for result in failed),
        warned=sum(not result.stops for result in failed),
        errors=sum(result.status == "error" for result in results),
    )


def results_table(results: Sequence[CheckResult]) -> str:
    """Return all results as one text table, a line each under a line of headings."""
    return printable(text_table([_HEADINGS, *(_cells(result) for result in results)]), keep="\n")


def failure_message(results: Sequence[CheckResult], run: TaskRun, where: str) -> str:
    """Return one message about `results` that did not pass: what, where, how to see it, what to do.

    Args:
        results: the results to tell of.
        run: whose rows in `ops.quality_results` hold the details.
        where: the connection and window, for example `redshift_default, window […)`.
    """
    faults = "\n".join(f"{number}. {describe_result(result)}" for number, result in enumerate(results, 1))
    faults = printable(faults, keep="\n")
    return (
        f"{len(results)} data quality check(s) did not pass over {where}:\n{faults}\n"
        "What to do: look at the rows, mend the source or the load, clear the load"
        " tasks of this run so that they load its window again, and the checks run again after them.\n"
        f"All results: SELECT * FROM ops.quality_results WHERE dag_id = {quote_literal(run.dag_id)}"
        f" AND run_id = {quote_literal(run.run_id)}"
    )


def describe_result(result: CheckResult) -> str:
    """Return one result as text: check, table, observed and expected, examples and their query."""
    check = result.check
    subject = check.title if check.table in check.title else f"{check.title} (table {check.table})"
    if result.status == "error":
        return f"{subject} could not be run: {result.error}"
    lines = [f"{subject}: observed {result.observed}, expected {result.expected}"]
    if check.description:
        lines.append(check.description)
    if result.examples:
        lines += [f"for example {'; '.join(result.examples)}", f"query: {_one_line(result.examples_sql)}"]
    return "\n   ".join(lines)


def _cells(result: CheckResult) -> tuple[str, ...]:
    check = result.check
    texts = (
        result.status,
        check.severity,
        check.kind,
        check.table,
        # Names made from kind and table need not repeat them: the table stays narrow.
        check.title.removeprefix(f"{check.kind} {check.table}").strip(),
        result.observed,
        result.expected,
        f"{result.seconds:.3f}",
    )
    return (*(_cell(text) for text in texts), _one_line("; ".join(result.examples) or result.error))


def _cell(text: str) -> str:
    line = _one_line(text)
    return line if len(line) <= _CELL else line[: _CELL - 1] + "…"


def _one_line(text: str) -> str:
    return " ".join(text.split())
