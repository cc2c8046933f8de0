"""A whole Airflow, scheduler and triggerer included, with a metadata database in PostgreSQL."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import urllib3

from sandbox import environment, postgres
from sandbox.settings import Settings
from tests.conftest import free_port

USER, PASSWORD = "tester", "a-tests-password"
DATABASE = "airflow"
PATIENCE_SECONDS = 240.0


class AirflowService:
    """One Airflow on a sandbox of its own.

    Args:
        settings: of the sandbox, which is up.
        changes: environment variables besides the sandbox's.
    """

    def __init__(self, settings: Settings, **changes: str) -> None:
        self.settings = settings
        self.home = settings.home / "airflow"
        self.url = f"http://127.0.0.1:{free_port()}"
        self.environment = {**os.environ, **environment.variables(settings), **self._variables(), **changes}
        self._http = urllib3.PoolManager()
        self._token = ""
        self._process: subprocess.Popen[bytes] | None = None

    def _variables(self) -> dict[str, str]:
        port = self.url.rpartition(":")[2]
        passwords = self.home / "passwords.json"
        return {
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": self._database_url(),
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": port,
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
            "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.1",
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
            "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(free_port()),
        }

    def _database_url(self) -> str:
        parts = psycopg.conninfo.conninfo_to_dict(postgres.admin_dsn(self.settings))
        login = f"{parts['user']}:{quote(str(parts['password']), safe='')}"
        return f"postgresql+psycopg2://{login}@/{DATABASE}?host={parts['host']}&port={parts['port']}"

    def start(self) -> None:
        """Make the metadata database, start everything and wait until all parts are healthy."""
        self.home.mkdir(exist_ok=True)
        with psycopg.connect(postgres.admin_dsn(self.settings), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {DATABASE}")
        (self.home / "passwords.json").write_text(json.dumps({USER: PASSWORD}))
        self._airflow("db", "migrate")
        with (self.home / "standalone.log").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "airflow", "standalone"],
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.wait_until(self._is_healthy, "Airflow is healthy")
        answer = self._http.request(
            "POST", f"{self.url}/auth/token", json={"username": USER, "password": PASSWORD}
        )
        self._token = json.loads(answer.data)["access_token"]

    def _airflow(self, *arguments: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "airflow", *arguments],
            env=self.environment,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()[-2000:]

    def _is_healthy(self) -> bool:
        try:
            answer = self._http.request("GET", f"{self.url}/api/v2/monitor/health", retries=False, timeout=5)
            parts = json.loads(answer.data)
        except (urllib3.exceptions.HTTPError, ValueError):
            return False
        return all(parts[part]["status"] == "healthy" for part in parts)

    def stop(self) -> None:
        """End every process; a signal to the parent alone would leave its children behind."""
        if self._process is None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self._process.pid, number)
                self._process.wait(20)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue

    def wait_until(self, ready: Callable[[], Any], what: str) -> Any:
        """Wait for something to become true and return it."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (found := ready()):
            assert time.monotonic() < deadline, f"waited in vain until {what}:\n{self._log()}"
            assert self._process is None or self._process.poll() is None, f"Airflow ended:\n{self._log()}"
            time.sleep(0.2)
        return found

    def _log(self) -> str:
        return (self.home / "standalone.log").read_text(errors="replace")[-3000:]

    def request(self, method: str, path: str, document: Mapping[str, Any] | None = None) -> Any:
        """Return the answer of the REST API."""
        answer = self._http.request(
            method,
            f"{self.url}/api/v2/{path}",
            json=document,
            headers={"Authorization": f"Bearer {self._token}"},
        )
        assert answer.status < 300, answer.data.decode()
        return json.loads(answer.data) if answer.data else None

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
        return [path for path in self.home.rglob("*.log") if path.is_file()]


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
