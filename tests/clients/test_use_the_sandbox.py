"""docs/use-the-sandbox.md says what works: its files are run as they stand, in projects of their own."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import psycopg
import pytest

from sandbox.testing import lent
from tests.clients.environments import SILENCE, programs
from tests.conftest import REPOSITORY

PAGE = (REPOSITORY / "docs" / "use-the-sandbox.md").read_text()
FILES = dict(re.findall(r"^`([\w.]+)`:\n\n```\w+\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))


@pytest.fixture
def project(tmp_path):
    """Write files of the page into a project; returns what runs a command there."""

    def make(*names, path=""):
        for name in names:
            (tmp_path / name).write_text(FILES[name])
        environment = {
            "PATH": f"{path}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(tmp_path),
            "PYTHONPATH": str(REPOSITORY),
            "AIRFLOW_HOME": str(tmp_path / "airflow"),
            **SILENCE,
        }
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path)]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=250
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    make.folder = tmp_path
    return make


def test_a_loader_is_tested_in_a_project_of_its_own(project):
    assert "1 passed" in project("conftest.py", "test_loader.py")


def test_an_airflow_project_is_tested_by_its_operators(project):
    assert "1 passed" in project("conftest.py", "test_operators.py")


def test_a_dbt_project_is_built_twice(project):
    (project.folder / "dbt_project.yml").write_text("name: shop\nversion: '1.0'\nprofile: shop\n")
    models = project.folder / "models"
    models.mkdir()
    (models / "one.sql").write_text("{{ config(materialized='incremental') }} select 1 as one")
    assert "1 passed" in project("conftest.py", "profiles.yml", "test_project.py", path=programs("dbt"))


def test_a_shell_borrows_a_sandbox(tmp_path):
    (tmp_path / "borrow.sh").write_text(FILES["borrow.sh"])
    bash = shutil.which("bash")
    done = subprocess.run(
        [bash, "-eu", str(tmp_path / "borrow.sh")],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    assert re.fullmatch(r"S3 answers at http://127\.0\.0\.1:\d+\n", done.stdout)


def test_two_at_once_share_nothing_and_leave_nothing():
    with lent() as one, lent() as other:
        for each, number in ((one, 1), (other, 2)):
            with _connected(each) as connection:
                connection.execute(f"CREATE TABLE mine AS SELECT {number} AS n")
        for each, number in ((one, 1), (other, 2)):
            with _connected(each) as connection:
                assert connection.execute("SELECT n FROM mine").fetchall() == [(number,)]
        homes = [Path(each.variables["SANDBOX_HOME"]) for each in (one, other)]
        assert all(map(_processes_of, homes))
    assert not any(home.exists() for home in homes)
    assert not any(map(_processes_of, homes))


def test_a_borrower_that_is_killed_leaves_nothing():
    code = "from sandbox.testing import lent\nwith lent() as one:\n"
    code += "    print(one.variables['SANDBOX_HOME'], flush=True)\n    import time; time.sleep(600)"
    borrower = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    home = Path(borrower.stdout.readline().strip())
    assert _processes_of(home)
    borrower.send_signal(signal.SIGKILL)
    borrower.wait()
    borrower.stdout.close()
    deadline = time.monotonic() + 60
    while home.exists() or _processes_of(home):
        assert time.monotonic() < deadline, "did not end in time"
        time.sleep(0.1)


def _connected(sandbox):
    return psycopg.connect(
        host=sandbox.host,
        port=sandbox.port,
        dbname=sandbox.database,
        user=sandbox.user,
        password=sandbox.password,
        client_encoding="UTF8",
        autocommit=True,
    )


def _processes_of(home):
    """Every process of a sandbox: each knows its home, or works in it."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("SANDBOX_HOME") == str(home) or Path(process.cwd()).is_relative_to(home):
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found
