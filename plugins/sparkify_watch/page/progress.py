"""The page of one run: what it does, who started it, and how far it is."""

import json
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Response

from sparkify_watch.page.airflow_api import AirflowRefusal, Api
from sparkify_watch.page.frame import Framed
from sparkify_watch.page.runs import Refusal

router = APIRouter()


@router.get("/run/{dag_id}/{run_id}")
async def run(dag_id: str, run_id: str, api: Api, frame: Framed) -> Response:
    """Show a run and its tasks as Airflow has them."""
    try:
        found = await api.get("dags", dag_id, "dagRuns", run_id)
        tasks = await api.get("dags", dag_id, "dagRuns", run_id, "taskInstances", limit=100)
    except AirflowRefusal as refusal:
        return frame.refuse(_explain(refusal), {})
    return frame.show(
        "run.html",
        f"Run of {dag_id}",
        run=found,
        params={name: _to_text(value) for name, value in sorted((found["conf"] or {}).items(), key=_by_end)},
        began=read_time(found["start_date"]),
        ended=read_time(found["end_date"]),
        tasks=[
            (task["task_id"], task["state"] or "waiting", task["duration"])
            for task in tasks["task_instances"]
        ],
    )


def read_time(text: str | None) -> datetime | None:
    """Return a time that Airflow tells, as naive UTC."""
    return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None) if text else None


def _by_end(param: tuple[str, Any]) -> tuple[bool, str]:
    """Sort by name, but for the end of a window, which comes after its start."""
    return param[0] == "window_end", param[0]


def _to_text(value: Any) -> str:  # noqa: ANN401 - any param
    return value if isinstance(value, str) else json.dumps(value)


def _explain(refusal: AirflowRefusal) -> Refusal:
    return Refusal(
        refusal.status,
        "This run cannot be shown",
        f"Airflow says: {refusal.detail}",
        "Runs that somebody has deleted are gone; those of DAGs that you may not read are not shown.",
    )
