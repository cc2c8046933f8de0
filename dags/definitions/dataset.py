"""What a dataset is; operators know none."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

BUCKETS: dict[str, Any] = {
    "bucket": "{{ var.value.sparkify_source_bucket }}",
    "work_bucket": "{{ var.value.sparkify_work_bucket }}",
    "iam_role": "{{ var.value.get('sparkify_iam_role', 'default') }}",
    "region": "{{ var.value.get('sparkify_region', '') }}",
}
"""Where every dataset is staged from, and how: arguments of StageToRedshiftOperator."""


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """Files in the source bucket and the tables made of them.

    Args:
        name: of its folder below include/, too; its DAGs are `<name>_etl` and `<name>_reconcile`.
        folders: its folders in the source bucket.
        schema: the `.sql` files that make its tables, in the order in which they can be run.
        tables: its tables, each after those that it refers to or is made from.
        beside: tables that loads keep beside others, by the name of the other: they are emptied together.
        published: those that analysts read.
        files_of_windows: how files are staged window by window, beside BUCKETS: the arguments that
            StageToRedshiftOperator and ReconcileOperator have in common.
        window_loads: the tables that are loaded from that staging table window by window, each with its
            SELECT file.
        window_column: the column that places a row of these in a window.
        interval: the length of its DAG's data interval: `hour`, `day` or `month`.
    """

    name: str
    folders: tuple[str, ...]
    schema: tuple[str, ...]
    tables: tuple[str, ...]
    beside: Mapping[str, str] = field(default_factory=dict)
    published: tuple[str, ...]
    files_of_windows: Mapping[str, Any]
    window_loads: Mapping[str, str]
    window_column: str
    interval: Literal["hour", "day", "month"] = "hour"

    @property
    def loaded_by(self) -> str:
        """The id of the DAG that loads it."""
        return f"{self.name}_etl"

    @property
    def staging(self) -> dict[str, Any]:
        """The arguments of StageToRedshiftOperator in mode `window`, but for the mode."""
        return {**BUCKETS, **self.files_of_windows}

    @property
    def reconciliation(self) -> dict[str, Any]:
        """The arguments of ReconcileOperator."""
        return {
            "staging": self.staging,
            "loaded_tables": list(self.window_loads),
            "loaded_sql": list(self.window_loads.values()),
            "loaded_time_column": self.window_column,
        }
