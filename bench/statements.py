"""``python -m bench.statements``: what one hourly run sends to the database, task by task, in seconds.

With the word `show` each statement is written out.
"""

import os
import sys
from typing import TYPE_CHECKING

from bench.__main__ import run_in_sandbox
from bench.options import NOW, Options
from sandbox.parts.settings import Settings

if TYPE_CHECKING:
    from bench.tables import Costs


def main() -> int:
    """Count and print; return the exit code."""
    if not os.environ.get("AIRFLOW_CONN_REDSHIFT_DEFAULT"):
        return run_in_sandbox("bench.statements")
    from bench import tasks  # noqa: PLC0415 - Airflow reads its configuration as it is imported
    from bench.source import make_source  # noqa: PLC0415

    settings = Settings.load()
    late_songs = make_source(settings, Options(songs=80, events=300, hours=1), settings.home / "sample")
    tasks.run(NOW - 3 * 24 * tasks.HOUR, NOW)
    tasks.run_hour(NOW)
    hours = {"an hour": tasks.run_hour(NOW + tasks.HOUR)}
    late_songs.arrive(0)
    hours["an hour with a new song"] = tasks.run_hour(NOW + 2 * tasks.HOUR)
    for title, costs in hours.items():
        _print(title, costs, show="show" in sys.argv)
    return 0


def _print(title: str, costs: "Costs", *, show: bool) -> None:
    print(f"\n{title:<26}statements  writing commits")
    for task_id, cost in costs.items():
        print(f"{task_id:<26}{cost.statements:>10}{cost.commits:>17}")
        for sql in cost.sent if show else ():
            print("    " + " ".join(sql.split())[:160])
    totals = [sum(getattr(cost, name) for cost in costs.values()) for name in ("statements", "commits")]
    print(f"{'total':<26}{totals[0]:>10}{totals[1]:>17}")


if __name__ == "__main__":
    sys.exit(main())
