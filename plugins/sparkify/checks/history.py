"""What checks measured before, in `ops.quality_measures`: one number for each window, the newest."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sparkify.checks.anomaly import Anomaly
from sparkify.checks.model import Check
from sparkify.text import cut
from sparkify.warehouse.ledger import utc_now
from sparkify.warehouse.session import Session
from sparkify.warehouse.sql import named_values
from sparkify.window import Window

QUALITY_MEASURES = "ops.quality_measures"
_WEEK = timedelta(days=7)


class Measure(NamedTuple):
    """A number of one window, whose ends are naive UTC."""

    measure_id: str
    window_start: datetime
    window_end: datetime
    value: float


_COLUMNS = ("measure_id", "check_name", "table_name", "window_start", "window_end", "value", "measured_at")


def recall(session: Session, checks: Sequence[Check], window: Window | None) -> Sequence[Check]:
    """Return the checks; those that compare with their past know what they measured in other weeks.

    These are windows of the same length that begin whole weeks before or after: an old window that is loaded
    again is judged by the weeks around it, as it would have been in any other order.

    Args:
        session: with no transaction open; one SELECT, and none where no check compares.
        checks: of any kinds.
        window: the run's window.
    """
    asking = [check for check in checks if isinstance(check, Anomaly)]
    if not asking or window is None:
        return checks
    measures = _read(session, asking, window)
    return [
        check.knowing(_comparable(check, measures, window)) if isinstance(check, Anomaly) else check
        for check in checks
    ]


def _read(session: Session, checks: Sequence[Anomaly], window: Window) -> list[Measure]:
    start, weeks = window.values["window_start"], max(check.weeks for check in checks)
    shifts = [number * _WEEK for number in range(-weeks, weeks + 1) if number]
    ids, id_values = named_values("id_", [check.measure_id for check in checks])
    starts, start_values = named_values("start_", [start + shift for shift in shifts])
    rows = session.ask(
        f"""
        SELECT measure_id, window_start, window_end, value FROM {QUALITY_MEASURES}
        WHERE measure_id IN ({ids}) AND window_start IN ({starts})
        """,
        {**id_values, **start_values},
    )
    return [Measure(*row) for row in rows]


def _comparable(check: Anomaly, measures: Sequence[Measure], window: Window) -> list[float]:
    start, end = window.values.values()
    return [
        measure.value
        for measure in measures
        if measure.measure_id == check.measure_id
        and measure.window_end - measure.window_start == end - start
        and abs(measure.window_start - start) <= check.weeks * _WEEK
    ]


def keep_measures(session: Session, measured: Sequence[tuple[Anomaly, float]], window: Window) -> None:
    """Keep what was measured over a window in place of what was measured over it before, by whatever run.

    Args:
        session: in a transaction that others who keep results wait for.
        measured: checks and their numbers.
        window: the run's window.
    """
    rows = {check.measure_id: (check, value) for check, value in measured}
    if not rows:
        return
    ids, values = named_values("id_", list(rows))
    session.execute(
        f"""
        DELETE FROM {QUALITY_MEASURES}
        WHERE measure_id IN ({ids}) AND window_start = %(window_start)s AND window_end = %(window_end)s
        """,
        {**values, **window.values},
    )
    now, ends = utc_now(), window.values.values()
    session.insert_rows(
        QUALITY_MEASURES,
        _COLUMNS,
        [
            (measure_id, cut(check.title, 250), cut(check.table, 250), *ends, value, now)
            for measure_id, (check, value) in rows.items()
        ],
    )
