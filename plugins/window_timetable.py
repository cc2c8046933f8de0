"""Runs that are named for the window that they load: `scheduled__2018-11-15T09:00_to_2018-11-15T10:00`.

Airflow names a run for the moment from which it may begin, which is the end of its window.
"""

from typing import Any

from airflow.plugins_manager import AirflowPlugin
from airflow.timetables.base import DataInterval
from airflow.timetables.interval import CronDataIntervalTimetable
from airflow.utils.types import DagRunType
from pendulum import DateTime

_NAMED = (DagRunType.SCHEDULED, DagRunType.BACKFILL_JOB)
_FORMAT = "%Y-%m-%dT%H:%M"


class WindowTimetable(CronDataIntervalTimetable):
    """A run for every interval between two moments of a cron expression, named for it.

    Runs by hand keep Airflow's name: their params may give them another window.
    """

    def generate_run_id(
        self, *, run_type: DagRunType, run_after: DateTime, data_interval: DataInterval | None, **extra: Any
    ) -> str:
        """Return the id of a run."""
        if data_interval is None or run_type not in _NAMED:
            return super().generate_run_id(
                run_type=run_type, run_after=run_after, data_interval=data_interval, **extra
            )
        start, end = data_interval.start.strftime(_FORMAT), data_interval.end.strftime(_FORMAT)
        return run_type.generate_run_id(suffix=f"{start}_to_{end}")


class WindowTimetablePlugin(AirflowPlugin):
    """Tells every part of Airflow of the timetable: without it none could read the DAGs that have it."""

    name = "window_timetable"
    timetables: list[Any] = [WindowTimetable]  # noqa: RUF012 - the base class has it so
