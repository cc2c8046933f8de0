"""What the two generations of Compose make of the files; needs no daemon."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from containers import make_env
from tests.compose.docker import run
from tests.conftest import REPOSITORY

FILES = {"main": ["docker-compose.yaml"], "aws": ["docker-compose.yaml", "docker-compose.aws.yaml"]}
AIRFLOW = {"airflow-apiserver", "airflow-scheduler", "airflow-dag-processor", "airflow-triggerer"}
RUNS_TASKS = {"airflow-scheduler", "airflow-triggerer"}
ALWAYS = AIRFLOW | {"postgres", "airflow-init"}
SANDBOX = {"aws", "redshift", "sample-data"}


@pytest.fixture(scope="module")
def env_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("env")
    shutil.copy(REPOSITORY / ".env.example", folder)
    make_env.main(folder)
    return folder / ".env"


@pytest.fixture(scope="module")
def second_generation(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Compose v2, which checks files by the schema of the Compose specification: from a newer Debian."""
    folder = tmp_path_factory.mktemp("v2")
    options = [
        f"Dir::Etc::sourcelist={folder}/sources",
        "Dir::Etc::sourceparts=/dev/null",
        f"Dir::State::lists={folder}/lists",
        f"Dir::Cache={folder}/cache",
        "APT::Sandbox::User=root",
    ]
    apt = ["apt-get", "-qq", *(word for option in options for word in ("-o", option))]
    for path in ("lists/partial", "cache/archives/partial"):
        (folder / path).mkdir(parents=True)
    try:
        # The mirror that this machine uses.
        sites = run(["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]).stdout
        mirror = next(line for line in sites.splitlines() if "security" not in line)
        key = "/usr/share/keyrings/debian-archive-keyring.gpg"
        (folder / "sources").write_text(f"deb [signed-by={key}] {mirror} trixie main\n")
        run([*apt, "update"])
        run([*apt, "download", "docker-compose"], cwd=folder)
        run(["dpkg", "-x", *(str(path) for path in folder.glob("*.deb")), str(folder / "files")])
    except (AssertionError, OSError, StopIteration) as error:
        pytest.skip(f"Compose v2 cannot be fetched: {error}")
    return str(folder / "files/usr/libexec/docker/cli-plugins/docker-compose")


@pytest.fixture(params=["first", "second"])
def compose(request: pytest.FixtureRequest) -> str:
    if request.param == "second":
        return str(request.getfixturevalue("second_generation"))
    if not (found := shutil.which("docker-compose")):
        pytest.skip("docker-compose is not installed")
    return found


def config(compose: str, env_file: Path, which: str, *profiles: str, **variables: str) -> dict[str, Any]:
    """The files as Compose understands them."""
    words = ["--project-name", "test", "--env-file", str(env_file)]
    words += [word for file in FILES[which] for word in ("-f", file)]
    words += [word for profile in profiles for word in ("--profile", profile)]
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **variables}
    done = run([compose, *words, "config"], environment=environment, cwd=REPOSITORY)
    assert "obsolete" not in done.stderr
    found: dict[str, Any] = yaml.safe_load(done.stdout)
    return found


def active(found: dict[str, Any], *profiles: str) -> set[str]:
    """The services that `up` starts; the first generation's `config` prints the others, too."""
    return {
        name
        for name, service in found["services"].items()
        if not service.get("profiles") or set(service["profiles"]) & set(profiles)
    }


def test_both_generations_accept_the_files(compose: str, env_file: Path):
    assert active(config(compose, env_file, "main")) == ALWAYS | SANDBOX
    celery = config(compose, env_file, "main", "celery", AIRFLOW_EXECUTOR="CeleryExecutor")
    assert active(celery, "celery") == ALWAYS | SANDBOX | {"redis", "airflow-worker"}
    executors = {
        service["environment"]["AIRFLOW__CORE__EXECUTOR"]
        for name, service in celery["services"].items()
        if name.startswith("airflow-")
    }
    assert executors == {"CeleryExecutor"}


def test_connections_are_json_with_the_generated_password(compose: str, env_file: Path):
    environment = config(compose, env_file, "main")["services"]["airflow-scheduler"]["environment"]
    redshift = json.loads(environment["AIRFLOW_CONN_REDSHIFT_DEFAULT"])
    assert redshift["extra"] == {"ssl": False}
    assert f"REDSHIFT_PASSWORD={redshift['password']}\n" in env_file.read_text()
    assert json.loads(environment["AIRFLOW_CONN_AWS_DEFAULT"])["conn_type"] == "aws"


def test_on_aws_there_is_no_sandbox_and_places_come_from_outside(compose: str, env_file: Path):
    connection = '{"conn_type":"redshift","extra":{"iam":true}}'
    given = {"AIRFLOW_CONN_REDSHIFT_DEFAULT": connection, "AWS_DEFAULT_REGION": "eu-west-1"}
    found = config(compose, env_file, "aws", **given)
    assert active(found) == ALWAYS
    for name in AIRFLOW:
        environment = found["services"][name]["environment"]
        told = {
            key: value
            for key, value in environment.items()
            if value is not None
            and key.startswith(("AIRFLOW_CONN", "AIRFLOW_VAR", "AWS_", "AIRFLOW__SECRETS"))
        }
        # The API server shows the warehouse.
        assert told == (given if name in (*RUNS_TASKS, "airflow-apiserver") else {}), name
        assert "127.0.0.1:4566" not in str(environment)


def test_without_secrets_it_says_what_to_do(compose: str, tmp_path: Path):
    (tmp_path / ".env").touch()
    command = [compose, "--env-file", str(tmp_path / ".env"), "config"]
    done = subprocess.run(
        command,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert 'run "make env"' in done.stderr
