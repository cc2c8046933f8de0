"""A whole Airflow, scheduler and triggerer included, on a sandbox of a test's own."""

import dataclasses
import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sandbox.airflow import airflow
from sandbox.airflow.airflow import USER
from sandbox.parts.settings import Settings
from tests.conftest import free_port

PATIENCE_SECONDS = 240.0


class AirflowService:
    """One Airflow on a sandbox of its own.

    Args:
        settings: of the sandbox, which is up.
        changes: environment variables that differ from the sandbox's.

    Attributes:
        user, password: of the login at its web pages.
    """

    def __init__(self, settings: Settings, **changes: str) -> None:
        self.settings = dataclasses.replace(settings, airflow_port=free_port())
        self.home = settings.home / "airflow"
        self.url = airflow.url(self.settings)
        changes = {"AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False", **changes}
        self.environment = {**os.environ, **airflow.service_variables(self.settings), **changes}
        self.user, self.password = USER, airflow.secrets_of(self.settings).web_password
        self._part = airflow.Airflow(self.settings, changes)
        self._api = airflow.api(self.settings)

    @property
    def passwords(self) -> dict[str, str]:
        """Those of all logins: Airflow makes the ones that it was not told of, once it runs."""
        found: dict[str, str] = json.loads((self.home / "passwords.json").read_text())
        return found

    def start(self) -> None:
        """Start everything and wait until all parts are healthy."""
        self._part.start()
        self._part.wait()

    def stop(self) -> None:
        """End every process."""
        self._part.stop()

    def wait_until(self, ready: Callable[[], Any], what: str) -> Any:
        """Wait for something to become true and return it."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (found := ready()):
            assert time.monotonic() < deadline, f"waited in vain until {what}:\n{self._log()}"
            assert self._part.find(), f"Airflow ended:\n{self._log()}"
            time.sleep(0.2)
        return found

    def _log(self) -> str:
        return self._part.log.read_text(errors="replace")[-3000:]

    def request(self, method: str, path: str, document: Mapping[str, Any] | None = None) -> Any:
        """Return the answer of the REST API."""
        return self._api.request(method, path, document)

    def run(self, dag_id: str, **conf: Any) -> "DagRun":
        """Trigger a run, by hand, and wait until it has ended."""
        self.wait_until(lambda: self._knows(dag_id), f"{dag_id} is known")
        made = self.request("POST", f"dags/{dag_id}/dagRuns", {"logical_date": None, "conf": conf})
        return self.ended(dag_id, made["dag_run_id"])

    def _knows(self, dag_id: str) -> bool:
        return any(dag["dag_id"] == dag_id for dag in self.request("GET", "dags")["dags"])

    def ended(self, dag_id: str, run_id: str) -> "DagRun":
        """Wait until a run has ended."""
        path = f"dags/{dag_id}/dagRuns/{run_id}"
        done = {"success", "failed"}
        self.wait_until(lambda: self.request("GET", path)["state"] in done, f"{dag_id} {run_id} ended")
        return DagRun(self, dag_id, run_id, self.request("GET", path)["state"])

    def logs(self) -> list[Path]:
        """Every log file."""
        return [self._part.log, *(path for path in self.home.rglob("*.log") if path.is_file())]


class DagRun:
    """A run that has ended."""

    def __init__(self, service: AirflowService, dag_id: str, run_id: str, state: str) -> None:
        self.service, self.dag_id, self.run_id, self.state = service, dag_id, run_id, state

    @property
    def tasks(self) -> dict[str, str]:
        """The state of each task."""
        path = f"dags/{self.dag_id}/dagRuns/{self.run_id}/taskInstances"
        return {one["task_id"]: one["state"] for one in self.service.request("GET", path)["task_instances"]}

    def log(self, task_id: str = "") -> str:
        """The logs of a task, or of all."""
        folder = self.service.home / "logs" / f"dag_id={self.dag_id}" / f"run_id={self.run_id}"
        pattern = f"task_id={task_id}/**/*.log" if task_id else "**/*.log"
        return "\n".join(path.read_text(errors="replace") for path in sorted(folder.glob(pattern)))

    def says(self, task_id: str, text: str) -> None:
        """Assert that the log of a task has a text; the end of a log is written after the task has ended."""
        deadline = time.monotonic() + 20
        while text not in self.log(task_id):
            assert time.monotonic() < deadline, f"{text!r} is not in the log:\n{self.log(task_id)[-6000:]}"
            time.sleep(0.1)

    def succeeded(self) -> "DagRun":
        """Assert that it did."""
        assert self.state == "success", f"{self.tasks}\n{self.log()[-6000:]}"
        return self
