"""The page of what one task did, to which Airflow's page of the task links."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from sparkify_watch.mirror.read_task import TaskKey, loads_of_task, rejected_by, results_of_task
from sparkify_watch.page.access import ReadDataset
from sparkify_watch.page.frame import Framed

Name = Annotated[str, Query(max_length=300)]

router = APIRouter()


@router.get("/{dataset}/task")
def task(frame: Framed, dataset: ReadDataset, dag_id: Name, run_id: Name, task_id: Name) -> Response:
    """Show the loads of a task, the rows that they have rejected, and the results of its checks."""
    key = TaskKey(dag_id, run_id, task_id)
    return frame.show(
        "task.html",
        f"What {task_id} did",
        dataset,
        task=key,
        loads=loads_of_task(frame.db, dataset.name, key),
        rejected=rejected_by(frame.db, dataset.name, key),
        results=results_of_task(frame.db, dataset.name, key),
    )
