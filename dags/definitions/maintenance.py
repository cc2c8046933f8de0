"""The form of the DAG that looks after the tables."""

from collections.abc import Iterable
from typing import Any

from airflow.sdk import Param

from sparkify.warehouse.retention import FEWEST_DAYS

_MOST_MINUTES = 660
_RETENTION = "Retention"


def maintenance_params(retained: Iterable[str]) -> dict[str, Param]:
    """Return the params of a DAG that looks after the tables.

    Args:
        retained: the tables whose old rows may be removed.
    """
    return {**_upkeep_params(), **{_param_of(table): _days(table) for table in retained}, **_settled_param()}


def keep_days(table: str) -> str:
    """Return the template of how many days of a table stay: its param, else a Variable, else nothing."""
    name = _param_of(table)
    return f"{{{{ params.{name} or var.value.get('sparkify_{name}', '') }}}}"


def _param_of(table: str) -> str:
    return f"keep_days_{table.replace('.', '_')}"


def _upkeep_params() -> dict[str, Param]:
    return {
        "unsorted_percent": _percent(
            10,
            "Unsorted rows, percent",
            "VACUUM FULL (sort, and drop deleted rows) a table with more than that.",
        ),
        "deleted_percent": _percent(
            20, "Deleted rows, percent", "VACUUM DELETE ONLY a table with more than that."
        ),
        "stats_off_percent": _percent(
            10,
            "Stale statistics",
            "ANALYZE a table whose stats_off is more than that; 0 is up to date, 100 is not.",
        ),
        "max_minutes": _number(
            60,
            (1, _MOST_MINUTES),
            "Minutes at most",
            "What runs then is ended, and the rest stays for another run.",
        ),
        "boost": Param(
            False,
            type="boolean",
            title="BOOST",
            description="Sort with more of the cluster's resources. Loads of a table wait meanwhile.",
        ),
    }


def _settled_param() -> dict[str, Param]:
    title, why = (
        "Days until a load is settled",
        "Rows that were staged within so many days stay, however old.",
    )
    why += " A run that loads an old window has that long."
    return {"settled_days": _number(7, (1, 365), title, why, section=_RETENTION)}


def _days(table: str) -> Param:
    return Param(
        None,
        type=["null", "integer"],
        minimum=FEWEST_DAYS,
        title=f"Days of {table} to keep",
        description="Older rows are removed. Empty: the Airflow Variable of this name counts, else all stay.",
        section=_RETENTION,
    )


def _percent(default: int, title: str, description: str) -> Param:
    return _number(default, (0, 100), title, description)


def _number(default: int, bounds: tuple[int, int], title: str, description: str, **more: str) -> Param:
    least, most = bounds
    given: dict[str, Any] = {"minimum": least, "maximum": most, "title": title, "description": description}
    return Param(default, type="integer", **given | more)
