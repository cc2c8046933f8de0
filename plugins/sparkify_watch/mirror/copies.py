"""Which tables of ops the mirror copies, and what is asked of each."""

from collections.abc import Mapping
from dataclasses import dataclass

_DIGEST = "STRTOL(SUBSTRING(MD5({}), 1, 8), 16)"
_TIME = "COALESCE(TO_CHAR({}, 'YYYYMMDDHH24MISSUS'), '')"


@dataclass(frozen=True, slots=True)
class Copy:
    """A table of ops and its copy of the same name.

    Args:
        name: of both.
        columns: the columns of the copy, each with the expression of the original that it comes from.
        parts: expressions of text whose change is noticed; a change of other columns alone is not.
        order: the expression by which what is added later comes later, nearly always.
        day: gives the part, as YYYYMMDD, that is compared and replaced at once.
        owned_by: the column whose value tells the Dataset that a row is of: a table, or the id of a DAG.
        pulse: one more aggregate that changes with rows whose number and order stay.
    """

    name: str
    columns: Mapping[str, str]
    parts: tuple[str, ...]
    order: str = "load_id"
    day: str = "SUBSTRING(load_id, 1, 8)"
    owned_by: str = ""
    pulse: str = "0"

    @property
    def mark(self) -> str:
        """The expression of a number, made from the parts."""
        return _DIGEST.format(" || '|' || ".join(self.parts))

    @property
    def fields(self) -> tuple[str, ...]:
        """The columns of the copy as `select` gives them."""
        return (*self.columns, "day", "mark")

    @property
    def select(self) -> str:
        """The SELECT of all fields, up to its FROM."""
        given = [*self.columns.values(), self.day, self.mark]
        return f"SELECT {', '.join(given)} FROM ops.{self.name}"

    @property
    def digest(self) -> str:
        """The SELECT that says of each day how many rows it has and what their marks add up to."""
        return (
            f"SELECT day, COUNT(*), SUM(mark) FROM (SELECT {self.day} AS day, {self.mark} AS mark "
            f"FROM ops.{self.name}) AS marked GROUP BY day"
        )

    @property
    def beat(self) -> str:
        """The SELECT of what nearly always changes when the table does, at the cost of a scan."""
        return f"SELECT COUNT(*), MAX({self.order}), {self.pulse} FROM ops.{self.name}"


def _same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


_WINDOW = ("window_start", "window_end")
_WINDOW_PARTS = tuple(_TIME.format(name) for name in _WINDOW)

_ROW = {
    **_same("file", "line"),
    "column_name": '"column"',
    **_same("value", "reason", "raw_text", "load_id"),
}
_ROW_PARTS = ("file", "COALESCE(CAST(line AS VARCHAR(20)), '')", "load_id")

_CHECK_KEY = "COALESCE(table_name, '') || ': ' || check_name"

COPIES = (
    Copy(
        "loads",
        _same(
            *("load_id", "dag_id", "run_id", "task_id", "target_table", *_WINDOW, "rows_deleted"),
            *("rows_inserted", "rows_rejected", "files", "bytes", "started_at", "finished_at"),
        ),
        ("load_id", *_WINDOW_PARTS),
        owned_by="target_table",
        pulse="COUNT(window_end)",
    ),
    Copy(
        "staged_files",
        _same("dataset", "bucket", "key", "etag", "size", "last_modified", "load_id", "staged_at"),
        ("dataset", "bucket", "key", "etag", "load_id"),
        owned_by="dataset",
        pulse="MAX(staged_at)",
    ),
    Copy("rejected_rows", _ROW, _ROW_PARTS),
    Copy(
        "refused_rows",
        _ROW | _same("dag_id", "run_id", "task_id", "target_table"),
        _ROW_PARTS,
        owned_by="target_table",
    ),
    Copy(
        "quality_results",
        _same(
            *("checked_at", "dag_id", "run_id", "task_id", *_WINDOW, "check_name", "check_kind"),
            *("table_name", "severity", "status", "observed", "expected", "detail"),
        )
        | {"check_key": _CHECK_KEY},
        (
            "dag_id",
            "run_id",
            "task_id",
            "COALESCE(table_name, '')",
            "check_name",
            "status",
            _TIME.format("checked_at"),
        ),
        order="checked_at",
        day="TO_CHAR(checked_at, 'YYYYMMDD')",
        owned_by="dag_id",
    ),
    Copy("changes", _same("source_table", "load_id", *_WINDOW), ("source_table", "load_id", *_WINDOW_PARTS)),
    Copy(
        "changes_taken",
        _same("target_table", "change_load_id", "load_id"),
        ("target_table", "change_load_id", "load_id"),
    ),
    Copy(
        "retention",
        _same("dataset", "forgotten_before", "load_id"),
        ("dataset", "load_id"),
        owned_by="dataset",
    ),
)
"""Loads come first: by them rejected rows find their dataset."""
