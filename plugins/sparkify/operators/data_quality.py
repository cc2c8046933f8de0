"""DataQualityOperator: questions to the warehouse that fail the task when the answer is wrong."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, NoReturn

from airflow.providers.common.sql.operators.sql import SQLCheckResult
from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from sparkify.checks import (
    CheckResult,
    Counts,
    Suite,
    count_results,
    failure_message,
    keep_results,
    read_suite,
    results_table,
    run_checks,
)
from sparkify.checks.results import QUALITY_RESULTS
from sparkify.operators.base import WarehouseOperator
from sparkify.operators.task_failures import translate_failures
from sparkify.operators.trace_tables import trace_checks
from sparkify.warehouse.ledger import TaskRun, other_loads, utc_now
from sparkify.warehouse.session import Session
from sparkify.window import Window

# Seconds from which a single check gets a line of its own in the log while the others are still to come.
_SLOW = 1.0
# A run that committed its last load this long ago may stand between two of its commits.
_OVERLAP = timedelta(minutes=5)


class DataQualityOperator(WarehouseOperator):
    """Run every check of a YAML file, log one table of results and keep them in `ops.quality_results`.

    A check of severity `error` that fails, or cannot be run, fails the task after all checks ran; for good,
    because trying again would not mend the data, unless another run was loading at that moment and may be
    between two of its commits. One of severity `warn` is only logged.

    Args:
        checks: a `.yaml` file below the DAG's template_searchpath, or YAML text (see docs/quality.md).

    Returns:
        How many checks passed, failed, warned (failed with severity `warn`) and could not be run (errors).

    Raises:
        AirflowFailException: checks of severity `error` did not pass, the file is wrong, or a check needs
            the run's window and there is none.
    """

    template_fields: Sequence[str] = ("checks", *WarehouseOperator.template_fields)
    template_fields_renderers: ClassVar[dict[str, str]] = {
        **WarehouseOperator.template_fields_renderers,
        "checks": "yaml",
    }
    template_ext: Sequence[str] = (".yaml", ".yml")
    ui_color = "#f0e8d8"

    def __init__(self, *, checks: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.checks = checks
        # Airflow replaces the name in `checks` by the file's text; messages still need the name.
        self.checks_source = checks if checks.endswith(tuple(self.template_ext)) else "checks"

    @property
    def doing(self) -> str:
        """What this task does in the warehouse, for its messages."""
        return f"running {self.checks_source} into {QUALITY_RESULTS}"

    def execute(self, context: Context) -> Counts:
        """Run the checks of this run."""
        began, run = utc_now(), TaskRun.of(context)
        with translate_failures(f"{self.task_id}: reading {self.checks_source}"):
            suite = read_suite(self.checks, self.checks_source)
        window = self.window(context) if suite.uses_window else None
        results = self.run_in_warehouse(lambda session: self._check(session, suite, run, window))
        self.check_results = [_convert_for_listeners(result) for result in results]
        self.trace = lambda: trace_checks(self.check_results)
        where = f"connection {self.conn_id}" + (f", window {window}" if window else "")
        if warnings := [result for result in results if result.status != "passed" and not result.stops]:
            self.log.warning("%s", failure_message(warnings, run, where))
        if failures := [result for result in results if result.stops]:
            self._fail(failure_message(failures, run, where), run, began - _OVERLAP)
        return count_results(results)

    def _fail(self, message: str, run: TaskRun, since: datetime) -> NoReturn:
        """Fail for good, or for now if other runs loaded since then and may have been between two commits."""
        if self.run_in_warehouse(lambda session: other_loads(session, run, since)):
            raise AirflowException(f"{message}\nOther runs loaded at the same time, so the task tries again.")
        raise AirflowFailException(message)

    def _check(
        self, session: Session, suite: Suite, run: TaskRun, window: Window | None
    ) -> list[CheckResult]:
        total = len(suite.checks)
        self.log.info("Running %d checks from %s", total, self.checks_source)
        results = []
        for result in run_checks(session, suite.checks, window):
            results.append(result)
            if result.seconds >= _SLOW:
                progress = (len(results), total, result.status, result.check.title, result.seconds)
                self.log.info("%d of %d: %s %s (%.1f s)", *progress)
        self.log.info("Data quality\n%s", results_table(results))
        keep_results(session, results, run, window)
        return results


def _convert_for_listeners(result: CheckResult) -> SQLCheckResult:
    """Return a result in the form that the common SQL provider hands to OpenLineage."""
    check = result.check
    return SQLCheckResult(
        name=check.title,
        check_type=check.kind,
        success=result.status == "passed",
        severity=check.severity,
        table=check.table,
        expected=result.expected,
        actual=result.observed or result.error,
        content=check.question(),
        description=check.description or None,
    )
