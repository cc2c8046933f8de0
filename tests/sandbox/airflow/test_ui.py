"""`ui`: a whole Airflow beside the sandbox, and the end of it."""

import contextlib
import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator

import psutil
import psycopg
import pytest

from sandbox import lifecycle
from sandbox.airflow import airflow
from sandbox.airflow.api import AirflowApi, AirflowApiError
from sandbox.demo.month import DAG_ID
from sandbox.parts import processes
from sandbox.parts.settings import Settings
from tests.sandbox.commands.command_line import REPOSITORY, kill, query, run_sandbox
from tests.security import open_routes, secret_scan
from tests.security.private_home import of_others, readable_by_others
from tests.security.secret_scan import Scan

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def shown(new_settings: Callable[[], Settings]) -> Iterator[tuple[Settings, str]]:
    """A sandbox with its Airflow, and what `ui` said."""
    settings = new_settings()
    done = subprocess.run(
        [sys.executable, "-m", "sandbox", "ui"],
        cwd=REPOSITORY,
        env={**os.environ, **settings.environment()},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    yield settings, done.stdout
    lifecycle.down(settings.home)
    assert family(settings) == []


def family(settings: Settings) -> list[psutil.Process]:
    return airflow.Airflow(settings).find()


def sample_run(settings: Settings) -> str:
    state: str = airflow.api(settings).request("GET", f"dags/{DAG_ID}/dagRuns/sample_month")["state"]
    return state


def wait_for_sample_run(settings: Settings) -> None:
    part = airflow.Airflow(settings)
    done = {"success", "failed"}
    processes.wait_until(lambda: sample_run(settings) in done, part.find()[:1], "The run", part.log, 240)
    assert sample_run(settings) == "success"


def test_it_says_where_to_look_and_how_to_log_in(shown):
    settings, said = shown
    for words in (
        airflow.url(settings),
        airflow.USER,
        airflow.secrets_of(settings).web_password,
        "make down",
    ):
        assert words in said


def test_the_sample_month_is_loaded_by_a_run_of_its_scheduler(shown):
    settings, _ = shown
    wait_for_sample_run(settings)
    assert query(settings, "SELECT COUNT(*) FROM staging_events WHERE ts < '2018-12-01'") == [(100_000,)]


def test_nobody_else_can_read_or_owns_anything_of_it(shown):
    settings, _ = shown
    wait_for_sample_run(settings)
    assert (settings.home / "airflow").is_dir()
    assert readable_by_others(settings.home) == []
    assert of_others(settings.home) == []


def test_a_second_time_it_keeps_every_process_and_begins_no_run(shown):
    settings, _ = shown
    mains = {process.pid for process in family(settings) if process.ppid() == 1 or process.parent() is None}
    done = run_sandbox(settings, "ui")
    assert done.returncode == 0, done.stderr
    assert mains <= {process.pid for process in family(settings)}
    assert "Upload" not in done.stdout
    assert "airflow" in run_sandbox(settings, "status").stdout


def test_only_the_one_login_gets_in(shown):
    settings, _ = shown
    for user, password in ((airflow.USER, "wrong"), ("viewer", airflow.secrets_of(settings).web_password)):
        with pytest.raises(AirflowApiError) as refused:
            AirflowApi(airflow.url(settings), user, password).request("GET", "dags")
        assert refused.value.status == 401


def listens_at(process: psutil.Process) -> set[str]:
    try:
        found = process.net_connections("tcp")
    # It has ended; or it is a worker, which hides what it has from everybody but root.
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return set()
    return {connection.laddr.ip for connection in found if connection.status == psutil.CONN_LISTEN}


def test_nothing_of_it_listens_beyond_this_machine(shown):
    settings, _ = shown
    addresses = set().union(*(listens_at(process) for process in family(settings)))
    assert addresses == {"127.0.0.1"}


def test_its_database_login_reads_nothing_of_the_warehouse(shown):
    settings, _ = shown
    with (
        psycopg.connect(
            host=str(settings.socket_dir),
            user="airflow",
            password=airflow.secrets_of(settings).database_password,
            dbname=settings.database,
        ) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("SELECT * FROM songplays")


def test_env_ui_points_airflow_commands_at_it(shown):
    settings, _ = shown
    script = 'eval "$("$PYTHON" -m sandbox env --ui)"; airflow dags list-runs sparkify_etl --output json'
    done = subprocess.run(
        ["/bin/bash", "-euo", "pipefail", "-c", script],
        cwd=REPOSITORY,
        env={"PATH": "/usr/bin:/bin", "HOME": "/", "PYTHON": sys.executable, **settings.environment()},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    runs = json.loads(done.stdout[done.stdout.index("[{") :])
    assert "sample_month" in {run["run_id"] for run in runs}


def secrets_of(settings: Settings) -> dict[str, str]:
    """Every secret that was made for it, by its name in docs/security.md."""
    kept = [
        json.loads((settings.home / name).read_text())
        for name in ("credentials.json", "airflow/secrets.json")
    ]
    made = re.search(
        r"^fernet_key = (\S+)$", (settings.home / "airflow/airflow.cfg").read_text(), re.MULTILINE
    )
    assert made
    return {**kept[0], **kept[1], "fernet_key": made[1]}


def test_each_secret_is_in_the_files_that_the_page_names_and_in_no_other(shown):
    settings, _ = shown
    found = Scan(secrets_of(settings)).of(secret_scan.files(settings.home))
    assert found == secret_scan.told("Secrets of make ui", "Files")
    for name in set().union(*found.values()):
        assert stat.S_IMODE((settings.home / name).stat().st_mode) == 0o600


def component_of(process: psutil.Process) -> str:
    """Which of Airflow's four a process belongs to: the first of its ancestors is one of them."""
    with contextlib.suppress(psutil.NoSuchProcess):
        for one in reversed([process, *process.parents()]):
            words = " ".join(one.cmdline()[:4]).replace("api_server", "api-server")
            for name in ("api-server", "scheduler", "dag-processor", "triggerer"):
                if name in words:
                    return name
    return f"another: {process}"


def test_each_secret_is_in_the_processes_that_the_page_names_and_in_no_other(shown):
    settings, _ = shown
    search = Scan(secrets_of(settings))
    found: dict[str, set[str]] = {name: set() for name in secrets_of(settings)}
    for pid, content in secret_scan.processes("environ"):
        for name in search.names(content):
            found[name].add(component_of(psutil.Process(pid)))
    assert found == secret_scan.told("Secrets of make ui", "Processes")
    assert search.of((str(pid), content) for pid, content in secret_scan.processes("cmdline")) == {
        name: set() for name in found
    }


def test_strangers_get_the_routes_that_the_page_lists_and_401_everywhere_below_warehouse(shown):
    settings, _ = shown
    routes = open_routes.every()
    assert len(routes) > 200
    statuses = open_routes.statuses(airflow.url(settings), routes)
    assert open_routes.not_refused(statuses) == open_routes.told()
    of_page = [status for route, status in statuses.items() if " /warehouse/" in route]
    assert len(of_page) > 15
    assert set(of_page) == {401}


@pytest.mark.long
def test_a_killed_scheduler_is_seen_and_ui_starts_airflow_again(shown):
    settings, _ = shown
    assert airflow.Airflow(settings).is_healthy()
    schedulers = [process for process in family(settings) if "scheduler" in process.cmdline()]
    kill(schedulers)
    part = airflow.Airflow(settings)
    processes.wait_until(lambda: not part.is_healthy(), [], "The end of the scheduler", part.log)
    assert run_sandbox(settings, "status").returncode == 3
    assert run_sandbox(settings, "ui").returncode == 0
    assert airflow.Airflow(settings).is_healthy()


@pytest.mark.long
def test_down_in_the_middle_of_a_run_leaves_no_process_and_the_run_goes_on_afterwards(shown):
    settings, _ = shown
    airflow.api(settings).request(
        "POST", f"dags/{DAG_ID}/dagRuns/sample_month/clear", {"dry_run": False, "only_failed": False}
    )
    part = airflow.Airflow(settings)
    processes.wait_until(lambda: sample_run(settings) == "running", [], "The run", part.log)
    done = run_sandbox(settings, "down")
    assert done.returncode == 0, done.stderr
    assert family(settings) == []
    assert run_sandbox(settings, "ui").returncode == 0
    wait_for_sample_run(settings)
    assert query(settings, "SELECT COUNT(*) FROM staging_events WHERE ts < '2018-12-01'") == [(100_000,)]


@pytest.mark.long
def test_a_damaged_secrets_file_is_named_and_without_it_a_new_login_is_made(shown):
    settings, _ = shown
    assert run_sandbox(settings, "down").returncode == 0
    secrets = settings.home / "airflow" / "secrets.json"
    old = airflow.secrets_of(settings)
    secrets.write_text(secrets.read_text()[:20])
    refused = run_sandbox(settings, "ui")
    assert refused.returncode == 1
    assert f"{secrets} is damaged" in refused.stderr
    assert old.web_password not in refused.stderr
    assert family(settings) == []
    secrets.unlink()
    done = run_sandbox(settings, "ui")
    assert done.returncode == 0, done.stderr
    new = airflow.secrets_of(settings)
    assert new.web_password in done.stdout
    assert new != old
    assert sample_run(settings) == "success"
