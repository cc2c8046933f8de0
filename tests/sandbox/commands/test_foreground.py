"""`run`: parts in the foreground, as a container's main process; and what others on a network are told."""

import json
import os
import signal
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import boto3
import psycopg
import pytest

from sandbox import lifecycle
from sandbox.parts import environment, processes, tls
from sandbox.parts.parts import Aws, Redshift, all_parts
from sandbox.parts.settings import Settings, SettingsError
from tests.sandbox.aws.client import client as aws_client
from tests.sandbox.aws.networks import HERE, new_group, permission
from tests.sandbox.commands.command_line import REPOSITORY, command, query, run_sandbox, running


@pytest.fixture
def settings(new_settings: Callable[[], Settings]) -> Settings:
    return new_settings()


@contextmanager
def foreground(settings: Settings, *parts: str, **more: str) -> Iterator[subprocess.Popen[str]]:
    """The command, which has said that it is ready."""
    process = subprocess.Popen(
        command(settings, "run", *parts),
        cwd=REPOSITORY,
        env={**os.environ, **settings.environment(), **more},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stderr
    said: list[str] = []
    ready = threading.Event()

    def read() -> None:
        for line in process.stderr or ():
            said.append(line)
            if line.startswith("Ready: "):
                ready.set()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        assert ready.wait(120), said
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        lifecycle.down(settings.home)


def test_told_to_end_it_stops_its_parts_and_leaves_nothing(settings: Settings):
    with foreground(settings) as process:
        assert query(settings, "SELECT 1") == [(1,)]
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        assert running(settings) == []
    assert f"Redshift endpoint ready on 127.0.0.1:{settings.redshift_port}" in output
    assert "database system is ready to accept connections" in output
    assert settings.password not in output


@pytest.mark.parametrize("part", ["postgres", "redshift"])
def test_a_part_that_ends_by_itself_ends_the_others_and_the_command_fails(settings: Settings, part: str):
    with foreground(settings, "postgres", "redshift") as process:
        (crashed,) = (found for found in all_parts(settings) if found.name == part)
        crashed.find()[0].kill()
        process.communicate(timeout=60)
        assert process.returncode == 1
        assert running(settings) == []


def test_it_runs_only_the_parts_that_are_named(settings: Settings):
    with foreground(settings, "aws"):
        assert Aws(settings).is_healthy()
        assert not Redshift(settings).find()
        assert run_sandbox(settings, "status", "aws").returncode == 0
        assert run_sandbox(settings, "status").returncode == 3


def test_a_part_that_does_not_exist_is_refused(settings: Settings):
    done = run_sandbox(settings, "run", "s3")
    assert done.returncode == 1
    assert "no part s3: name aws, postgres, redshift" in done.stderr


def test_others_are_told_the_names_that_are_set(settings: Settings):
    named = replace(settings, host="0.0.0.0", aws_host="localhost", redshift_host="localhost")  # noqa: S104
    with foreground(named):
        client = boto3.client(
            "redshift",
            endpoint_url=f"http://localhost:{settings.aws_port}",
            aws_access_key_id=settings.aws_access_key_id,
            aws_secret_access_key=settings.aws_secret_access_key,
            region_name=settings.region,
        )
        client.create_cluster(
            ClusterIdentifier="one",
            ClusterType="single-node",
            NodeType="ra3.large",
            MasterUsername="sparkify",
            MasterUserPassword="Aa345678",
            VpcSecurityGroupIds=[new_group(aws_client(settings, "ec2"), permission(HERE))],
        )
        client.get_waiter("cluster_available").wait(ClusterIdentifier="one", WaiterConfig={"Delay": 1})
        (cluster,) = client.describe_clusters(ClusterIdentifier="one")["Clusters"]
        assert cluster["Endpoint"]["Address"] == "localhost"
        reached = replace(named, redshift_port=cluster["Endpoint"]["Port"])
        assert query(reached, "SELECT 1") == [(1,)]
        told = environment.variables(named)
        assert json.loads(told["AIRFLOW_CONN_REDSHIFT_DEFAULT"])["host"] == "localhost"
        assert told["AWS_ENDPOINT_URL"] == f"http://localhost:{settings.aws_port}"


def test_the_certificate_has_the_name_by_which_the_endpoint_is_reached(settings: Settings):
    before = tls.trust_file(settings).read_text()
    named = replace(settings, redshift_host="warehouse")
    trusted = tls.trust_file(named).read_text()
    assert trusted != before
    assert tls.trust_file(named).read_text() == trusted

    client = ssl.create_default_context(cadata=trusted)
    server_side, client_side = (ssl.MemoryBIO(), ssl.MemoryBIO())
    inner = client.wrap_bio(server_side, client_side, server_hostname="warehouse")
    outer = tls.server_context(named).wrap_bio(client_side, server_side, server_side=True)
    for _ in range(4):
        for side in (inner, outer):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    assert inner.getpeercert()["subjectAltName"] == (
        ("IP Address", "127.0.0.1"),
        ("DNS", "localhost"),
        ("DNS", "warehouse"),
    )


def test_secrets_of_the_environment_take_the_place_of_the_kept_ones(settings: Settings):
    """A warehouse that was made with other secrets is opened with the new ones."""
    lifecycle.up(settings)
    lifecycle.down(settings.home)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.environment().items():
            patch.setenv(name, value)
        patch.setenv("SANDBOX_REDSHIFT_PASSWORD", "Aa0another")
        patch.setenv("SANDBOX_AWS_ACCESS_KEY_ID", "AKIAOTHER")
        patch.setenv("SANDBOX_AWS_SECRET_ACCESS_KEY", "another")
        given = Settings.load()
        assert (given.password, given.aws_access_key_id, given.aws_secret_access_key) == (
            "Aa0another",
            "AKIAOTHER",
            "another",
        )
        assert given.admin_password == settings.admin_password
        lifecycle.up(given)
        try:
            assert query(given, "SELECT 1") == [(1,)]
            with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
                query(settings, "SELECT 1")
            assert "Aa0another" not in (settings.home / "credentials.json").read_text()
            assert "Aa0another" not in processes.tail(settings.logs_dir / "postgres.log", 1000)
        finally:
            lifecycle.down(settings.home)


@pytest.mark.parametrize(
    ("variable", "value"),
    [("SANDBOX_HOST", "redshift"), ("SANDBOX_AWS_HOST", "http://aws"), ("SANDBOX_REDSHIFT_HOST", "a b")],
)
def test_an_address_that_is_none_is_refused(variable: str, value: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError, match=f"{variable}='{value}' is no"):
        Settings.load()


def test_the_endpoint_puts_its_certificate_where_others_read_it(settings: Settings, tmp_path: Path):
    bundle = tmp_path / "trusted.pem"
    with (
        foreground(settings, SANDBOX_TRUST_FILE=str(bundle)),
        psycopg.connect(
            host="127.0.0.1",
            port=settings.redshift_port,
            user=settings.user,
            password=settings.password,
            dbname=settings.database,
            sslmode="verify-full",
            sslrootcert=str(bundle),
        ) as connection,
    ):
        assert connection.execute("SELECT 1").fetchone() == (1,)
