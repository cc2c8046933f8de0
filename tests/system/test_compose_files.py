"""The compose files, `.env.example` and `make env`, without Docker."""

import base64
import re
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from containers import make_env
from sandbox.airflow import airflow
from tests.security import secret_scan

REPOSITORY = Path(__file__).resolve().parents[2]
MAIN, AWS = "docker-compose.yaml", "docker-compose.aws.yaml"
SANDBOX = {"aws", "redshift", "sample-data"}
# Compose reads it itself.
OF_COMPOSE = {"COMPOSE_PROFILES"}


def text(name: str) -> str:
    return (REPOSITORY / name).read_text()


def services(name: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(text(name))["services"]
    return found


def used() -> set[str]:
    """Every variable that the files take from .env."""
    substituted = {name for file in (MAIN, AWS) for name in re.findall(r"(?<!\$)\$\{([A-Z_]+)", text(file))}
    passed_on = {
        name
        for service in services(AWS).values()
        for name, value in service.get("environment", {}).items()
        if value is None
    }
    return substituted | passed_on


def test_the_example_names_every_variable_that_the_files_use_and_no_other():
    named = set(re.findall(r"^#?([A-Z][A-Z_]*)=", text(".env.example"), re.MULTILINE))
    assert named - OF_COMPOSE == used()
    assert named >= OF_COMPOSE


def test_what_has_no_default_is_made_by_make_env():
    needed = set(re.findall(r"\$\{([A-Z_]+):\?", text(MAIN)))
    made = set(re.findall(r"^([A-Z_]+)=$", text(".env.example"), re.MULTILINE))
    assert needed == made


def test_each_secret_is_given_to_the_services_that_the_page_names_and_to_no_other():
    told = secret_scan.told("Secrets of docker-compose", "Containers")
    assert set(told) == set(re.findall(r"^([A-Z_]+)=$", text(".env.example"), re.MULTILINE))
    for secret, places in told.items():
        given = {name for name, service in services(MAIN).items() if f"${{{secret}:?" in str(service)}
        assert given == places, secret


def test_airflows_database_is_out_of_reach_for_workers_and_the_sandbox():
    there = {name for name, service in services(MAIN).items() if "metadata" in service.get("networks", ())}
    assert services(MAIN)["postgres"]["networks"] == ["metadata"]
    assert not there & {"airflow-worker", "redis", *SANDBOX}


def test_tasks_are_as_fast_as_those_of_make_ui():
    assert services(MAIN)["airflow-scheduler"]["environment"].items() >= airflow.FAST.items()


def test_on_aws_nothing_of_the_sandbox_is_left():
    """Each variable that says where the pipeline works is taken back in each service that has it."""
    main, aws = services(MAIN), services(AWS)
    places = ("AIRFLOW_CONN_", "AIRFLOW_VAR_", "AWS_", "SSL_")
    for name, service in main.items():
        told = {key for key in service.get("environment", {}) if key.startswith(places)}
        if name not in SANDBOX:
            assert told <= set(aws.get(name, {}).get("environment", ())), name
    assert {name for name, service in aws.items() if service.get("profiles")} == SANDBOX


def test_nothing_that_runs_on_aws_waits_for_the_sandbox():
    for name, service in services(MAIN).items():
        assert name in SANDBOX or not SANDBOX & set(service.get("depends_on", {})), name


@pytest.mark.parametrize("name", sorted(services(MAIN)))
def test_every_service_heals_tells_its_health_and_bounds_its_log(name: str):
    service = services(MAIN)[name]
    assert set(service["logging"]["options"]) == {"max-size", "max-file"}
    assert service["security_opt"] == ["no-new-privileges:true"]
    if name in ("airflow-init", "sample-data"):
        assert service["restart"] == "no"
    else:
        assert service["restart"] == "unless-stopped"
        assert {"test", "interval", "timeout", "retries", "start_period"} <= set(service["healthcheck"])
    for other, wait in service.get("depends_on", {}).items():
        once = other in ("airflow-init", "sample-data")
        assert wait["condition"] == ("service_completed_successfully" if once else "service_healthy")


def test_ports_are_published_on_loopback_only():
    published = [port for service in services(MAIN).values() for port in service.get("ports", [])]
    assert len(published) == 3
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_no_secret_stands_in_a_command():
    for name, service in services(MAIN).items():
        words = str([service.get("command"), service.get("entrypoint"), service.get("healthcheck")])
        assert not re.search(r"(?<!\$)\$\{", words), name


def test_only_the_pipeline_gets_into_the_build():
    lines = [line for line in text(".dockerignore").splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    copied = set(re.findall(r"^COPY (?:--\S+ )?(.+) \S+$", text("Dockerfile"), re.MULTILINE))
    wanted = {word for words in copied for word in words.split()}
    assert {line.removeprefix("!") for line in lines if line.startswith("!") and "/" not in line} == wanted


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / ".env.example").write_text(text(".env.example"))
    return tmp_path


def values(folder: Path) -> dict[str, str]:
    lines = (folder / ".env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_make_env_fills_in_every_secret_and_nobody_else_can_read_it(folder: Path):
    assert make_env.main(folder) == 0
    assert stat.S_IMODE((folder / ".env").stat().st_mode) == 0o600
    found = values(folder)
    assert all(found.values())
    assert len(base64.urlsafe_b64decode(found["AIRFLOW_FERNET_KEY"])) == 32
    secrets = [found[name] for name in re.findall(r"^([A-Z_]+)=$", text(".env.example"), re.MULTILINE)]
    assert len(set(secrets)) == len(secrets) == 9
    assert all(re.fullmatch(r"[A-Za-z0-9_=-]{20,}", secret) for secret in secrets)


def test_make_env_makes_other_secrets_each_time(folder: Path, tmp_path: Path):
    make_env.main(folder)
    first = values(folder)
    (folder / ".env").unlink()
    make_env.main(folder)
    assert all(values(folder)[name] != first[name] for name in first if len(first[name]) >= 20)


def test_make_env_leaves_a_file_that_is_there_alone(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / ".env").write_text("MINE=1\n")
    assert make_env.main(folder) == 0
    assert (folder / ".env").read_text() == "MINE=1\n"
    assert "stays as it is" in capsys.readouterr().out


def test_git_ignores_the_file():
    assert ".env" in text(".gitignore").splitlines()
