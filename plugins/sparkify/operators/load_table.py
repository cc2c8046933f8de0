"""What the two operators over a SELECT share."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowFailException

from sparkify.operators.base import LoadOperator
from sparkify.operators.trace_load import trace_load
from sparkify.star.audits import Audits
from sparkify.star.job import Follow, LoadJob, LoadMode, Lookup
from sparkify.star.loader import Loader
from sparkify.warehouse.ledger import TaskRun


class LoadTableOperator(LoadOperator):
    """Load a table from one SELECT; see LoadFactOperator and LoadDimensionOperator."""

    template_fields: Sequence[str] = ("sql", "updates", *LoadOperator.template_fields)
    template_fields_renderers: ClassVar[dict[str, str]] = {
        **LoadOperator.template_fields_renderers,
        "sql": "sql",
        "updates": "sql",
    }
    template_ext: Sequence[str] = (".sql",)

    def __init__(
        self,
        *,
        sql: str,
        mode: LoadMode,
        key_columns: Sequence[str] = (),
        time_column: str | None = None,
        newer_by: str | None = None,
        audits: Audits | None = None,
        follows: Sequence[Follow] = (),
        lookup: Lookup | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if mode == "window" and not time_column:
            raise ValueError("Mode window needs time_column")
        if mode in ("append", "upsert") and not key_columns:
            raise ValueError(f"Mode {mode} needs key_columns, or a retry would add its rows again")
        self.sql = sql
        self.mode = mode
        self.key_columns = key_columns
        self.time_column = time_column
        self.newer_by = newer_by
        self.audits = audits or Audits(not_null=key_columns, unique=key_columns)
        self.follows = follows
        self.lookup = lookup
        # Airflow renders the texts of these files, and knows neither Follow nor Lookup.
        texts = [(follow.update, follow.prepare, follow.names) for follow in follows]
        self.updates = [text or "" for of_one in texts for text in of_one]
        self.updates += [lookup.insert] if lookup else []

    def execute(self, context: Context) -> dict[str, Any]:
        """Load the rows of this run."""
        uses_window = self.mode == "window" or "%(window_" in self.sql
        if self.follows and uses_window and self.mode != "window" and not self.newer_by:
            raise AirflowFailException(
                f"{self.task_id}: what was staged again is loaded again in mode window, or upsert with "
                f"newer_by; in mode {self.mode} rows of {self.table} would stay old or become older."
            )
        job = LoadJob(
            # Redshift folds names; what ops keeps of a table must not depend on how a task writes its name.
            table=self.table.lower(),
            mode=self.mode,
            select=self.sql,
            run=TaskRun.of(context),
            window=self.window(context) if uses_window else None,
            time_column=self.time_column,
            key_columns=self.key_columns,
            newer_by=self.newer_by,
            audits=self.audits,
            follows=self._rendered_follows(),
            lookup=replace(self.lookup, insert=self.updates[-1]) if self.lookup else None,
        )
        record = self.run_in_warehouse(lambda session: Loader(session, job, self.log).load())
        self.trace = lambda: trace_load(self, job, record)
        return self.report(record, context)

    def _rendered_follows(self) -> list[Follow]:
        texts = [text or None for text in self.updates]
        return [
            replace(
                follow,
                table=follow.table.lower(),
                after=[name.lower() for name in follow.after],
                update=texts[3 * number],
                prepare=texts[3 * number + 1],
                names=texts[3 * number + 2],
            )
            for number, follow in enumerate(self.follows)
        ]
