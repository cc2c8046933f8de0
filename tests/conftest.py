"""Fixtures every test may use: an Airflow of its own, and one private sandbox for the whole session."""

import contextlib
import gc
import itertools
import json
import os
import random
import shutil
import signal
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.long_tests import is_long

REPOSITORY = Path(__file__).resolve().parents[1]

# Airflow reads its configuration when it is first imported, so this stands before every such import. The
# sandbox's unix socket lies below this folder, which must therefore have a short path.
_FOLDER = Path(tempfile.mkdtemp(prefix="sparkify-test-", dir="/tmp"))
os.environ.update(
    {
        "AIRFLOW_HOME": str(_FOLDER / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPOSITORY / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{_FOLDER}/airflow/airflow.db",
        # Nothing a test does may reach an account or a sandbox of the person who runs it.
        "SANDBOX_HOME": str(_FOLDER / "sandbox"),
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
)
for _name in (
    "AWS_PROFILE",
    "AWS_SESSION_TOKEN",
    "SANDBOX_REDSHIFT_PORT",
    "SANDBOX_REDSHIFT_DATABASE",
    "SANDBOX_AWS_PORT",
    "SANDBOX_AIRFLOW_PORT",
    "SANDBOX_CLUSTER_SECONDS",
    "SANDBOX_SYS_LAG_SECONDS",
    "SANDBOX_ROLE_SECONDS",
    "SANDBOX_CALLER_ADDRESS",
):
    os.environ.pop(_name, None)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from sandbox.parts.settings import Settings


def pytest_configure() -> None:
    """Let a session that is told to end (by `timeout`, by CI) stop what it has started, as on Ctrl-C."""
    from tests.service_models import share_service_models

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    share_service_models()


# Files with few and long tests come first and apart from each other, those with many short ones last: no
# processor has nothing to do while the last of the long ones runs.
_ORDER = ("ui", "clients", "faults", "sandbox", "system", "compose", "sparkify_watch", "sparkify", "security")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark what takes long."""
    if is_long(item.nodeid.removeprefix("tests/")):
        item.add_marker(pytest.mark.long)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the folders for several processes that share the files."""
    folder = Path(__file__).parent
    items.sort(key=lambda item: _ORDER.index(item.path.relative_to(folder).parts[0]))


def pytest_collection_finish() -> None:
    """Spare the collector a million objects that live as long as the session."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """Remove what the session wrote."""
    shutil.rmtree(_FOLDER, ignore_errors=True)


# Below the ports that the system gives to outgoing connections, one stretch for each worker: a port that is
# free when it is chosen is still free when the server that it is for has started.
_FIRST_PORT = 12_000 + 2_000 * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 9)
_PORTS = itertools.cycle(random.sample(range(_FIRST_PORT, _FIRST_PORT + 2_000), 2_000))


def free_port() -> int:
    """A TCP port nobody listens on now."""
    for port in _PORTS:
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("unreachable")


@pytest.fixture(scope="session")
def sandbox() -> "Iterator[Settings]":
    """A running private sandbox, with the environment variables that point Airflow and boto3 at it."""
    from sandbox import lifecycle
    from sandbox.parts import environment, tls
    from sandbox.parts.settings import Settings

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SANDBOX_REDSHIFT_PORT", str(free_port()))
        patch.setenv("SANDBOX_AWS_PORT", str(free_port()))
        patch.setenv("SANDBOX_ROLE_SECONDS", "0")
        settings = Settings.load()
        try:
            lifecycle.up(settings)
            for name, value in environment.variables(settings).items():
                if not name.startswith("AIRFLOW_HOME") and not name.startswith("AIRFLOW__"):
                    patch.setenv(name, value)
            patch.setenv("AIRFLOW_CONN_POSTGRES_SANDBOX", _postgres_connection(settings))
            # The endpoint is trusted alone: drivers read the file for each session, and a machine's is long.
            alone = {"SSL_CERT_FILE": os.devnull, "SANDBOX_TRUST_FILE": str(settings.home / "trusted.pem")}
            patch.setenv("SSL_CERT_FILE", str(tls.trust_file(settings, alone)))
            yield settings
        finally:
            lifecycle.down(settings.home)


@pytest.fixture(scope="session")
def new_settings() -> "Iterator[Callable[[], Settings]]":
    """Make settings of further sandboxes, each with its own home and ports; they end with the session."""
    from sandbox import lifecycle
    from sandbox.parts.settings import Settings

    homes: list[Path] = []

    def make() -> Settings:
        homes.append(Path(tempfile.mkdtemp(dir=_FOLDER)) / "home")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SANDBOX_HOME", str(homes[-1]))
            patch.setenv("SANDBOX_REDSHIFT_PORT", str(free_port()))
            patch.setenv("SANDBOX_AWS_PORT", str(free_port()))
            patch.setenv("SANDBOX_AIRFLOW_PORT", str(free_port()))
            return Settings.load()

    try:
        yield make
    finally:
        for home in homes:
            lifecycle.down(home)


@pytest.fixture(scope="session")
def airflow_db() -> None:
    """Airflow's metadata database, empty."""
    from airflow.utils.db import initdb

    initdb()


@pytest.fixture(autouse=True)
def _airflow_where_dags_run(request: pytest.FixtureRequest) -> None:
    """Give the tests that run DAGs the metadata database; no other test pays for it."""
    if {"system", "faults"} & set(request.path.relative_to(REPOSITORY).parts):
        request.getfixturevalue("airflow_db")


@pytest.fixture
def s3(sandbox: "Settings") -> "S3Client":
    """An S3 client of the session's sandbox."""
    import boto3

    return boto3.client(
        "s3",
        endpoint_url=sandbox.aws_endpoint_url,
        aws_access_key_id=sandbox.aws_access_key_id,
        aws_secret_access_key=sandbox.aws_secret_access_key,
        region_name=sandbox.region,
    )


@pytest.fixture
def redshift(sandbox: "Settings") -> Iterator[Any]:
    """A redshift_connector connection to the session's sandbox; what it left open is rolled back."""
    import redshift_connector

    connection = redshift_connector.connect(
        host="127.0.0.1",
        port=sandbox.redshift_port,
        user=sandbox.loader,
        password=sandbox.password,
        database=sandbox.database,
        ssl=False,
    )
    connection.autocommit = False
    try:
        yield connection
    finally:
        connection.close()


def _postgres_connection(settings: "Settings") -> str:
    """The same endpoint as an Airflow connection of type postgres (psycopg2)."""
    return json.dumps(
        {
            "conn_type": "postgres",
            "host": "127.0.0.1",
            "port": settings.redshift_port,
            "login": settings.loader,
            "password": settings.password,
            "schema": settings.database,
            "extra": {"sslmode": "disable"},
        }
    )
