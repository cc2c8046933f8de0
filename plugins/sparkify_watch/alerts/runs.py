"""The run that an alert is about, as each of Airflow's contexts describes it."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from airflow.configuration import conf

from sparkify.window import Window, WindowError, resolve_window

_UNDER_WAY = ("queued", "running")


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of a DAG.

    Attributes:
        dag_id, run_id: its names.
        window: which time it loads; None where it has no window or Airflow does not say.
    """

    dag_id: str
    run_id: str
    window: Window | None

    @classmethod
    def of(cls, context: Mapping[str, Any]) -> "Run":
        """Return the run of a task's or a DAG's callback."""
        return cls(dag_id=context["dag"].dag_id, run_id=context["run_id"], window=_window(context))

    @classmethod
    def of_deadline(cls, dag_run: Mapping[str, Any]) -> "Run":
        """Return the run of a deadline's callback, which gets it as the REST API has it."""
        ends = {
            name: datetime.fromisoformat(dag_run[name])
            for name in ("data_interval_start", "data_interval_end")
            if dag_run.get(name)
        }
        window = _window({"params": dag_run.get("conf") or {}, **ends})
        return cls(dag_id=dag_run["dag_id"], run_id=dag_run["dag_run_id"], window=window)

    @property
    def link(self) -> str:
        """Its page in Airflow's web UI."""
        return f"{_base_url()}/dags/{quote(self.dag_id)}/runs/{quote(self.run_id)}"

    @property
    def page_link(self) -> str:
        """The page Warehouse for its DAG."""
        return f"{_base_url()}/warehouse/dag/{quote(self.dag_id)}"


def is_late(dag_run: Mapping[str, Any]) -> bool:
    """Tell whether a run that has missed its deadline is one that people wait for.

    Runs of a backfill are queued all at once and wait their turn; whoever triggers a run watches it.
    """
    return dag_run.get("run_type") == "scheduled" and dag_run.get("state") in _UNDER_WAY


def cluster_page_link() -> str:
    """Return the address of the page Warehouse for clusters."""
    return f"{_base_url()}/warehouse/cluster"


def _window(context: Mapping[str, Any]) -> Window | None:
    with suppress(WindowError):
        return resolve_window(context)
    return None


def _base_url() -> str:
    return conf.get("api", "base_url", fallback="http://localhost:8080").rstrip("/")
