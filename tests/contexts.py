"""Contexts for operators that a test runs by themselves."""

from types import SimpleNamespace
from typing import Any


def task_context(start: str | None = None, end: str | None = None) -> Any:
    """The part of Airflow's context that the operators read."""
    instance = SimpleNamespace(dag_id="test_dag", run_id="test_run", task_id="test_task")
    return {"ti": instance, "params": {"window_start": start, "window_end": end}}
