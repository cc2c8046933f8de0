"""ReconcileOperator: source files, staging table and loaded tables compared hour by hour."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowFailException

from sparkify.operators.base import WarehouseOperator
from sparkify.operators.staging_job import (
    STAGING_ARGUMENTS,
    build_staging_job,
    check_arguments,
    is_true,
)
from sparkify.operators.trace_tables import trace_comparison
from sparkify.s3.client import make_s3_client
from sparkify.stage.reconciliation import LoadedTable, Reconciliation, reconcile


class ReconcileOperator(WarehouseOperator):
    """Tell in which hours of the window the warehouse is not what the source files say.

    The files are copied into a temp table and compared, row by row, with the staging table; what the SELECTs
    of the loaded tables give is compared with these tables. Nothing is changed. A run that loads at the same
    time may stand between two of its commits; its hours then differ for that moment.

    Args:
        staging: how the staging table is staged: the arguments of StageToRedshiftOperator that say what and
            how (`table`, `bucket`, `work_bucket`, `key_pattern`, `time_column` …), in mode `window`.
        loaded_tables: tables that are loaded from the staging table, window by window.
        loaded_sql: for each of them, the SELECT or `.sql` file that loads it.
        loaded_time_column: their column that places a row in a window.
        fail: fail when hours differ; otherwise return them.
        aws_conn_id: the Airflow connection that lists the source and writes manifests.

    Returns:
        The hours that differ as windows: a list of `{"window_start": …, "window_end": …}`, each the conf of
        a run that loads it.

    Raises:
        ValueError: arguments that do not go together.
        AirflowFailException: hours differ and `fail` is set; or as for StageToRedshiftOperator.
    """

    template_fields: Sequence[str] = ("staging", "loaded_sql", "fail", *WarehouseOperator.template_fields)
    template_fields_renderers: ClassVar[dict[str, str]] = {
        **WarehouseOperator.template_fields_renderers,
        "loaded_sql": "sql",
    }
    template_ext: Sequence[str] = (".sql",)
    ui_color = "#f0e8d8"

    def __init__(
        self,
        *,
        staging: Mapping[str, Any],
        loaded_tables: Sequence[str],
        loaded_sql: Sequence[str],
        loaded_time_column: str,
        fail: bool | str = True,
        aws_conn_id: str = "aws_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if staging.get("key_pattern") is None:
            raise ValueError("Reconciliation needs key_pattern")
        if unknown := set(staging) - set(STAGING_ARGUMENTS):
            raise ValueError(f"No arguments of a staging job: {', '.join(sorted(unknown))}")
        check_arguments({**staging, "mode": "window"})
        self.staging = dict(staging)
        self.loaded_tables = loaded_tables
        self.loaded_sql = list(loaded_sql)
        self.loaded_time_column = loaded_time_column
        self.fail = fail
        self.aws_conn_id = aws_conn_id

    @property
    def doing(self) -> str:
        """What this task does in the warehouse, for its messages."""
        return f"comparing {self.staging['table']} with its files"

    def execute(self, context: Context) -> list[dict[str, str]]:
        """Compare the window of this run."""
        outcome = self._compare(context)
        self.trace = lambda: trace_comparison(outcome)
        totals = ", ".join(f"{name} {count:,}" for name, count in outcome.totals().items())
        self.log.info("Rows in %s: %s", outcome.window, totals)
        if not outcome.hours:
            self.log.info("No hour differs.")
            return []
        self.log.warning("Hours that differ: %d\n%s", len(outcome.hours), outcome.table())
        conf = [
            {"window_start": window.start.isoformat(), "window_end": window.end.isoformat()}
            for window in outcome.windows
        ]
        if is_true(self.fail):
            raise AirflowFailException(_explain_hours(outcome, conf))
        return conf

    def _compare(self, context: Context) -> Reconciliation:
        loaded = [
            LoadedTable(table, select, self.loaded_time_column)
            for table, select in zip(self.loaded_tables, self.loaded_sql, strict=True)
        ]
        job = build_staging_job(self, {**self.staging, "mode": "window"}, context)
        s3 = make_s3_client(self.aws_conn_id)
        return self.run_in_warehouse(lambda session: reconcile(session, job, loaded, s3, self.log))


def _explain_hours(outcome: Reconciliation, conf: Sequence[dict[str, str]]) -> str:
    shown = "\n".join(f"  {window['window_start']} to {window['window_end']}" for window in conf[:20])
    more = f"\n  … and {len(conf) - 20} more" if len(conf) > 20 else ""
    return (
        f"Hours of {outcome.window} that are not what their source files say: {len(outcome.hours)}, "
        f"in these windows:\n{shown}{more}\n"
        "Load them again: trigger this DAG with reload, or the loading DAG for each window "
        "(params window_start and window_end). The table of hours is in this task's log."
    )
