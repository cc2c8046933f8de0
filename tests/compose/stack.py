"""The project's compose files, brought up as a user does it: by commands, the REST API and SQL."""

import contextlib
import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg
import urllib3

from containers import make_env
from tests.compose.docker import PATIENCE_SECONDS, Docker, run
from tests.conftest import REPOSITORY, free_port

DAG = "sparkify_etl"
MONTH = {"window_start": "2018-11-01T00:00:00Z", "window_end": "2018-12-01T00:00:00Z"}
TABLES = {
    "staging_events": "artist, auth, first_name, gender, item_in_session, last_name, length, level, "
    "location, method, page, registration, session_id, song, status, ts, user_agent, user_id",
    "staging_songs": "num_songs, song_id, title, duration, year, artist_id, artist_name, artist_location, "
    "artist_latitude, artist_longitude",
    "songplays": "*",
    "users": "*",
    "songs": "*",
    "artists": "*",
    "time": "*",
}
_NOT_COPIED = (".git", ".venv", ".env", ".sandbox", ".*_cache", "__pycache__", ".hypothesis")
Tables = dict[str, list[tuple[Any, ...]]]


class Stack:
    """A project of docker-compose with secrets and ports of its own.

    Args:
        docker: the daemon.
        folder: a new one, for a copy of the project.
        name: of the project.
        settings: lines of .env besides what `make env` writes.
    """

    def __init__(self, docker: Docker, folder: Path, name: str, **settings: str) -> None:
        self.docker, self.name = docker, name
        shutil.copytree(REPOSITORY, folder, ignore=shutil.ignore_patterns(*_NOT_COPIED))
        self.folder = folder
        make_env.main(folder)
        self.env_file = folder / ".env"
        ports = {variable: str(free_port()) for variable in ("AIRFLOW_PORT", "AWS_PORT", "REDSHIFT_PORT")}
        self.set(**ports, **settings)
        self._http = urllib3.PoolManager()
        self._token = ""

    @property
    def settings(self) -> dict[str, str]:
        """What .env says."""
        return read_env(self.env_file.read_text())

    def set(self, **changes: str) -> None:
        """Change lines of .env, or add them."""
        kept = [
            line for line in self.env_file.read_text().splitlines() if line.partition("=")[0] not in changes
        ]
        self.env_file.write_text(
            "\n".join([*kept, *(f"{name}={value}" for name, value in changes.items())]) + "\n"
        )

    def compose(self, *words: str, check: bool = True) -> str:
        """The output of a docker-compose command."""
        command = ["docker-compose", "--project-name", self.name, *words]
        return run(command, check=check, environment=self.docker.environment, cwd=self.folder).stdout

    def up(self, *words: str) -> None:
        """Bring everything up and wait until all of it is healthy."""
        self.compose("up", "-d", *words)
        self.wait_until_healthy()

    def containers(self) -> dict[str, dict[str, Any]]:
        """Every container by its name without the project's, such as ``redshift_1``."""
        label = f"label=com.docker.compose.project={self.name}"
        ids = self.docker("ps", "--quiet", "--all", "--filter", label).split()
        found = json.loads(self.docker("inspect", *ids)) if ids else []
        return {
            one["Name"].removeprefix(f"/{self.name}_").removeprefix(f"/{self.name}-"): one for one in found
        }

    def ailing(self) -> dict[str, str]:
        """The containers that are neither healthy nor have done what they had to."""
        states = {name: one["State"] for name, one in self.containers().items()}
        return {
            name: f"{state['Status']} ({state.get('Health', {}).get('Status', state['ExitCode'])})"
            for name, state in states.items()
            if not (
                (state["Status"] == "running" and state.get("Health", {}).get("Status") == "healthy")
                or (state["Status"] == "exited" and state["ExitCode"] == 0)
            )
        }

    def wait_until_healthy(self) -> None:
        """Wait until every container is healthy, or has ended well."""
        self.wait_until(lambda: not self.ailing(), lambda: f"all is healthy: {self.ailing()}")

    def wait_until(
        self, ready: Callable[[], Any], what: Callable[[], str], seconds: float = PATIENCE_SECONDS
    ) -> Any:
        """Wait for something to become true and return it."""
        deadline = time.monotonic() + seconds
        while not (found := ready()):
            assert time.monotonic() < deadline, f"waited in vain until {what()}\n{self.logs()[-8000:]}"
            time.sleep(1)
        return found

    def logs(self, *services: str) -> str:
        """What the services said."""
        return self.compose("logs", "--no-color", "--tail", "300", *services, check=False)

    def crash(self, container: str) -> None:
        """Kill a container's main process, which ends it; return when Docker has started it again.

        Not `docker kill`, after which no restart policy applies.
        """
        before = self.containers()[container]["State"]
        os.kill(before["Pid"], signal.SIGKILL)
        self.wait_until_restarted(container, before["StartedAt"])

    def wait_until_restarted(self, container: str, started_before: str) -> None:
        """Wait until a container that started then has started again."""
        self.wait_until(
            lambda: (
                (state := self.containers()[container]["State"])["StartedAt"] != started_before
                and state["Status"] == "running"
            ),
            lambda: f"{container} runs again",
        )

    def request(self, method: str, path: str, document: Mapping[str, Any] | None = None) -> Any:
        """The answer of Airflow's REST API; it is asked again while it is not there."""

        def answer() -> Any:
            with contextlib.suppress(urllib3.exceptions.HTTPError, OSError):
                headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
                got = self._http.request(
                    method, self.url + path, json=document, headers=headers, retries=False
                )
                if got.status < 500:
                    return got
            return None

        got = self.wait_until(answer, lambda: f"{method} {path} is answered", seconds=180)
        assert got.status < 300, got.data.decode()
        return json.loads(got.data) if got.data else None

    @property
    def url(self) -> str:
        """Of Airflow's web server."""
        return f"http://127.0.0.1:{self.settings['AIRFLOW_PORT']}"

    def log_in(self) -> None:
        """Get a token for the user in .env."""
        login = {"username": self.settings["AIRFLOW_USER"], "password": self.settings["AIRFLOW_PASSWORD"]}
        self._token = ""
        self._token = self.request("POST", "/auth/token", login)["access_token"]

    def load_month(self, run_id: str) -> None:
        """Run the DAG over the sample's month by the REST API, to its success."""
        self.log_in()
        dags = self.wait_until(
            lambda: self.request("GET", "/api/v2/dags")["dags"], lambda: "the DAGs are known"
        )
        assert DAG in {dag["dag_id"] for dag in dags}
        self.request("PATCH", f"/api/v2/dags/{DAG}", {"is_paused": False})
        body = {"logical_date": None, "dag_run_id": run_id, "conf": MONTH}
        self.request("POST", f"/api/v2/dags/{DAG}/dagRuns", body)
        self.wait_until(lambda: self.state(run_id) in ("success", "failed"), lambda: f"{run_id} has ended")
        assert self.state(run_id) == "success", f"{self.tasks(run_id)}\n{self.logs()[-8000:]}"

    def state(self, run_id: str) -> str:
        """How a run of the DAG is."""
        return str(self.request("GET", f"/api/v2/dags/{DAG}/dagRuns/{run_id}")["state"])

    def tasks(self, run_id: str) -> list[dict[str, Any]]:
        """The task instances of a run."""
        path = f"/api/v2/dags/{DAG}/dagRuns/{run_id}/taskInstances"
        found: list[dict[str, Any]] = self.request("GET", path)["task_instances"]
        return found

    @contextlib.contextmanager
    def warehouse(self) -> Iterator[psycopg.Connection]:
        """A connection to the warehouse through the published port."""
        with psycopg.connect(
            host="127.0.0.1",
            port=int(self.settings["REDSHIFT_PORT"]),
            user="sparkify",
            password=self.settings["REDSHIFT_PASSWORD"],
            dbname="sparkify",
            connect_timeout=10,
        ) as connection:
            yield connection

    def tables(self) -> Tables:
        """Every table's rows, as `tests.faults.reference` gives them."""
        with self.warehouse() as connection:
            return {
                table: sorted(connection.execute(f"SELECT {columns} FROM {table}").fetchall(), key=repr)
                for table, columns in TABLES.items()
            }

    def remove(self) -> None:
        """Remove its containers, networks and volumes."""
        self.compose(
            "--profile", "celery", "down", "--volumes", "--remove-orphans", "--timeout", "5", check=False
        )


def read_env(text: str) -> dict[str, str]:
    """The variables of a .env file."""
    lines = (line.partition("=") for line in text.splitlines() if line and not line.startswith("#"))
    return {name: value for name, _, value in lines}
