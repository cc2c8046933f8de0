"""The command line besides up and down: stopped, psql, logs, usage."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox import lifecycle
from sandbox.parts import postgres, processes
from sandbox.parts.settings import Settings
from tests.sandbox.commands.command_line import REPOSITORY, command, kill, run_sandbox

pytest_plugins = ("tests.sandbox.commands.command_fixtures",)


@pytest.mark.parametrize("port", ["x", "0", "65536", "-1", "54 39"])
def test_a_port_that_is_none_is_refused_by_name(stopped: Settings, port: str):
    done = run_sandbox(stopped, "up", SANDBOX_AWS_PORT=port)
    assert done.returncode == 1
    assert f"SANDBOX_AWS_PORT={port!r}" in done.stderr


def test_two_equal_ports_are_refused(stopped: Settings):
    done = run_sandbox(stopped, "up", SANDBOX_AWS_PORT="5000", SANDBOX_REDSHIFT_PORT="5000")
    assert done.returncode == 1
    assert "both 5000" in done.stderr


def test_damaged_credentials_are_reported_with_the_file(stopped: Settings):
    (stopped.home / "credentials.json").write_text("{")
    done = run_sandbox(stopped, "up")
    assert done.returncode == 1
    assert str(stopped.home / "credentials.json") in done.stderr
    assert "Traceback" not in done.stderr


def test_a_home_that_is_a_file_is_reported(stopped: Settings, tmp_path: Path):
    (tmp_path / "file").touch()
    done = run_sandbox(stopped, "up", SANDBOX_HOME=str(tmp_path / "file"))
    assert done.returncode == 1
    assert str(tmp_path / "file") in done.stderr


def test_credentials_are_private_and_made_once(stopped: Settings, monkeypatch: pytest.MonkeyPatch):
    path = stopped.home / "credentials.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert stopped.home.stat().st_mode & 0o077 == 0
    for name, value in stopped.environment().items():
        monkeypatch.setenv(name, value)
    assert Settings.load() == stopped


def test_secrets_are_not_in_the_text_of_settings(stopped: Settings):
    text = repr(stopped)
    for secret in (stopped.password, stopped.admin_password, stopped.aws_secret_access_key):
        assert secret not in text


def test_psql_logs_in_and_passes_its_words_on(started: Settings):
    done = run_sandbox(started, "psql", "-At", "-c", "SELECT current_user, current_database()")
    assert (done.returncode, done.stdout) == (0, "sparkify|sparkify\n"), done.stderr


def test_psql_gives_its_exit_code(started: Settings):
    assert run_sandbox(started, "psql", "-c", "SELECT * FROM missing").returncode == 1


@pytest.mark.parametrize("words", [["psql", "-c", "SELECT 1"], ["load", "FOLDER"]])
def test_a_command_that_needs_the_sandbox_says_how_to_start_it(
    stopped: Settings, words: list[str], tmp_path: Path
):
    (tmp_path / "a.json").write_text("{}")
    words = [str(tmp_path) if word == "FOLDER" else word for word in words]
    done = run_sandbox(stopped, *words)
    assert done.returncode == 1
    assert "python -m sandbox up" in done.stderr
    assert "Traceback" not in done.stderr


def test_logs_shows_each_parts_log(started: Settings):
    everything = run_sandbox(started, "logs").stdout
    assert "ready to accept connections" in everything
    assert started.aws_endpoint_url in everything
    assert "ready to accept connections" not in run_sandbox(started, "logs", "aws").stdout


def test_logs_without_a_log_says_so(stopped: Settings):
    done = run_sandbox(stopped, "logs", "aws")
    assert done.returncode == 1
    assert "no log" in done.stderr


def test_logs_can_be_followed(started: Settings):
    follower = subprocess.Popen(
        command(started, "logs", "postgres", "-f"),
        cwd=REPOSITORY,
        env={**os.environ, **started.environment()},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert follower.stdout is not None
        with postgres.log_file(started).open("a") as log:
            log.write("a line from now\n")
        assert any("a line from now" in line for line in iter(follower.stdout.readline, ""))
    finally:
        os.killpg(follower.pid, signal.SIGKILL)
        follower.wait()


def test_a_short_log_is_kept_and_a_huge_one_is_put_aside(started: Settings):
    log = started.logs_dir / "aws.log"
    kill(processes.find_part("aws", started.home))
    with log.open("ab") as file:
        file.truncate(30_000_000)

    lifecycle.up(started)

    assert log.stat().st_size < 1_000_000
    assert (started.logs_dir / "aws.log.1").stat().st_size == 30_000_000


def test_help_names_every_command(stopped: Settings):
    done = run_sandbox(stopped, "--help")
    assert done.returncode == 0
    for word in ("up", "down", "status", "load", "sample", "env", "psql", "logs", "ui", "stream", "demo"):
        assert f"\n    {word} " in done.stdout


@pytest.mark.parametrize("words", [[], ["nonsense"], ["up", "--nonsense"]])
def test_wrong_usage_ends_with_two(stopped: Settings, words: list[str]):
    assert run_sandbox(stopped, *words).returncode == 2


def test_sample_writes_files_without_a_sandbox(stopped: Settings, tmp_path: Path):
    words = ["sample", "--out", str(tmp_path / "data"), "--days", "1", "--events", "50", "--songs", "5"]
    done = run_sandbox(stopped, *words)
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "data").rglob("*.json"))) == 6


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_an_ordinary_user_can_run_it(tmp_path: Path, stopped: Settings):
    home = stopped.home.parent / "theirs"
    home.mkdir()
    os.chown(home, 65534, 65534)
    for parent in (home.parent, home.parent.parent):
        parent.chmod(0o755)
    as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
    probe = "import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-c', 'import psycopg']))"
    if subprocess.run([*as_nobody, sys.executable, "-c", probe], check=False).returncode != 0:
        pytest.skip("this Python or the repository lies in a folder that only root may enter")
    environment = {**os.environ, **stopped.environment(), "SANDBOX_HOME": str(home), "HOME": "/nonexistent"}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*as_nobody, *command(stopped, *words)],
            cwd=REPOSITORY,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    try:
        assert run("up").returncode == 0
        assert {process.uids().effective for process in postgres.find(home)} == {65534}
        assert run("psql", "-c", "SELECT 1").returncode == 0
        assert run("down").returncode == 0
    finally:
        lifecycle.down(home)
        shutil.rmtree(home)
