"""What `python -m sandbox env` prints works in a shell, in Airflow and in boto3."""

import dataclasses
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest
import sqlalchemy
from airflow.providers.amazon.aws.hooks.redshift_sql import RedshiftSQLHook

from sandbox.parts import environment
from sandbox.parts.settings import Settings

REPOSITORY = Path(__file__).resolve().parents[3]


def run(settings: Settings, script: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a shell script in the environment of someone who has set only the sandbox's variables."""
    plain = {"PATH": "/usr/bin:/bin", "HOME": os.environ.get("HOME", "/"), "PYTHON": sys.executable}
    return subprocess.run(
        ["/bin/bash", "-euo", "pipefail", "-c", script],
        cwd=REPOSITORY,
        env={**plain, **settings.environment(), **more},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


EVAL = 'eval "$("$PYTHON" -m sandbox env)"; '


def test_the_output_holds_only_export_lines(sandbox: Settings):
    done = run(sandbox, '"$PYTHON" -m sandbox env')
    assert done.returncode == 0, done.stderr
    assert all(re.fullmatch(r"export [A-Za-z_]+='.*'", line) for line in done.stdout.splitlines())
    assert "Warning" not in done.stderr


def test_a_shell_reads_back_exactly_the_variables(sandbox: Settings):
    done = run(sandbox, EVAL + '"$PYTHON" -c "import json, os; print(json.dumps(dict(os.environ)))"')
    seen = json.loads(done.stdout)
    expected = environment.variables(sandbox)
    # Both begin with what is ours and go on with what the process was given.
    del expected["PATH"], expected["PYTHONPATH"]
    assert {name: seen[name] for name in expected} == expected
    assert seen["PYTHONPATH"] == str(REPOSITORY / "dags")
    assert seen["PATH"].split(":") == [str(Path(sys.executable).parent), "/usr/bin", "/bin"]


def test_evaluating_it_twice_changes_nothing(sandbox: Settings):
    done = run(sandbox, EVAL + 'before=$(env); eval "$("$PYTHON" -m sandbox env)"; test "$before" = "$(env)"')
    assert done.returncode == 0, done.stderr


def test_a_home_with_spaces_and_quotes_is_quoted(sandbox: Settings, tmp_path: Path):
    home = tmp_path / "it's a $HOME"
    settings = dataclasses.replace(sandbox, home=home)
    lines = [
        f"export {name}={environment.quote(value)}" for name, value in environment.variables(settings).items()
    ]
    script = "\n".join(lines) + '\nprintf %s "$SANDBOX_HOME"'
    done = subprocess.run(["/bin/bash", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == str(home)


def test_the_redshift_connection_is_the_loaders(sandbox: Settings):
    connection = json.loads(environment.variables(sandbox)["AIRFLOW_CONN_REDSHIFT_DEFAULT"])
    assert connection == {
        "conn_type": "redshift",
        "host": "127.0.0.1",
        "port": sandbox.redshift_port,
        "login": "loader",
        "password": sandbox.password,
        "schema": "sparkify",
        "extra": {},
    }


def test_the_redshift_hook_and_its_engine_take_the_connection():
    hook = RedshiftSQLHook("redshift_default")
    assert hook.get_first("SELECT CURRENT_USER") == ["loader"]
    # SQLAlchemy's dialect of PostgreSQL logs in, and asks for a setting that Redshift has not.
    with pytest.raises(sqlalchemy.exc.ProgrammingError) as error:
        hook.get_sqlalchemy_engine().connect()
    assert error.value.orig.sqlstate == "42704"


def test_the_fixture_gives_tests_the_same_connections(sandbox: Settings):
    expected = environment.variables(sandbox)
    for name in ("AIRFLOW_CONN_REDSHIFT_DEFAULT", "AIRFLOW_CONN_AWS_DEFAULT", "AWS_ENDPOINT_URL"):
        assert os.environ[name] == expected[name]
    assert boto3.client("s3").list_buckets()["Buckets"]


def test_airflow_starts_in_an_empty_home_and_knows_the_dags(sandbox: Settings):
    script = EVAL + "airflow db check-migrations >/dev/null && airflow dags list --local --output json"
    done = run(sandbox, script)
    assert done.returncode == 0, done.stderr
    dags = json.loads(done.stdout[done.stdout.index("[") :])
    assert "sparkify_etl" in [dag["dag_id"] for dag in dags]


def test_two_at_once_prepare_airflow_once(new_settings: Callable[[], Settings]):
    settings = new_settings()
    both = '"$PYTHON" -m sandbox env >/dev/null & first=$!; "$PYTHON" -m sandbox env >/dev/null; wait $first'
    done = run(settings, both)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("Preparing Airflow's own database (once) …") == 1
    assert (settings.home / "airflow" / "airflow.db").exists()

    again = run(settings, '"$PYTHON" -m sandbox env >/dev/null')
    assert "Preparing" not in again.stderr


def test_it_warns_when_the_sandbox_is_not_up(new_settings: Callable[[], Settings]):
    settings = new_settings()
    (settings.home / "airflow").mkdir()
    done = run(settings, '"$PYTHON" -m sandbox env')
    assert done.returncode == 0
    assert "export AWS_ENDPOINT_URL" in done.stdout
    assert "python -m sandbox up" in done.stderr


def test_behind_a_proxy_this_machine_is_reached_directly(sandbox: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "intranet.example")
    assert environment.variables(sandbox)["no_proxy"] == "intranet.example,127.0.0.1,localhost"
    assert environment.variables(sandbox)["NO_PROXY"] == "intranet.example,127.0.0.1,localhost"
