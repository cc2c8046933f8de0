"""Changes of staging tables that the tables made from them have yet to take in, each once.

`ops.changes` has a row for every load that changed rows which others may have read: a window that was staged
again, or files that were staged without a window. `ops.changes_taken` says which table has taken in which.
"""

from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC

from sparkify.warehouse.session import Session
from sparkify.warehouse.sql import Value, named_values
from sparkify.window import Window

_TAKEN = "SELECT change_load_id FROM ops.changes_taken WHERE target_table ="


@dataclass(frozen=True, slots=True)
class Change:
    """A load that changed a staging table, and the window whose rows it changed, if it had one."""

    load_id: str
    window: Window | None


def record_change(session: Session, table: str, load_id: str, window: Window | None = None) -> None:
    """Tell the tables that follow a staging table that rows of it are now others."""
    ends = window.values if window else {"window_start": None, "window_end": None}
    row = (table, load_id, ends["window_start"], ends["window_end"])
    session.insert_rows("ops.changes", ("source_table", "load_id", "window_start", "window_end"), [row])


def pending_changes(
    session: Session, target: str, followed: Mapping[str, Sequence[str]]
) -> dict[str, list[Change]]:
    """Return, of each followed table, the changes that `target` has not taken in and those after it have."""
    pending: dict[str, list[Change]] = {source: [] for source in followed}
    if not followed:
        return pending
    asked = [_select_pending(number, *follow) for number, follow in enumerate(followed.items())]
    selects, values = zip(*asked, strict=True)
    rows = session.ask(
        f"{' UNION ALL '.join(selects)} ORDER BY load_id, window_start",
        {"target": target, **ChainMap(*values)},
    )
    for source, load_id, start, end in rows:
        window = Window(start.replace(tzinfo=UTC), end.replace(tzinfo=UTC)) if start else None
        pending[source].append(Change(load_id, window))
    return pending


def _select_pending(number: int, source: str, after: Sequence[str]) -> tuple[str, dict[str, Value]]:
    _, values = named_values(f"after{number}_", after)
    conditions = "".join(f" AND load_id IN ({_TAKEN} %({name})s)" for name in values)
    select = f"""
        SELECT source_table, load_id, window_start, window_end
        FROM ops.changes
        WHERE source_table = %(source{number})s AND load_id NOT IN ({_TAKEN} %(target)s){conditions}
        """
    return select, {f"source{number}": source, **values}


def take_changes(session: Session, target: str, load_id: str, taken: Sequence[Change]) -> None:
    """Note that a load of `target` has taken in changes."""
    rows = [(target, change_id, load_id) for change_id in sorted({change.load_id for change in taken})]
    session.insert_rows("ops.changes_taken", ("target_table", "change_load_id", "load_id"), rows)


def forget(session: Session, emptied: Sequence[str], tables: Sequence[str]) -> None:
    """Forget what emptied tables have changed, and what all tables have taken in of what may come back.

    Which tables a target looks at beyond its window only its SQL knows, so all look at everything again. Only
    windows of a table that keeps its rows stay taken in: the hours of an emptied target come back with the
    runs that load them, not one here and one there with the next run.

    Args:
        session: inside the transaction of the reset.
        emptied: the tables that lose their rows.
        tables: all tables that are loaded.
    """
    lost, values = named_values("emptied", emptied)
    targets, target_values = named_values("table", tables)
    session.execute(
        f"""
        DELETE FROM ops.changes_taken
        WHERE
            target_table IN ({targets})
            AND change_load_id NOT IN (
                SELECT load_id
                FROM ops.changes
                WHERE source_table NOT IN ({lost}) AND window_start IS NOT NULL
            )
        """,
        values | target_values,
    )
    session.execute(f"DELETE FROM ops.changes WHERE source_table IN ({lost})", values)
