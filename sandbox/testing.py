"""A sandbox for other projects' tests: ``pytest_plugins = ["sandbox.testing"]``; docs/use-the-sandbox.md.

It needs nothing but pytest in their environment: the sandbox runs in that of this repository.
"""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

_REPOSITORY = Path(__file__).resolve().parents[1]
_PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class RedshiftSandbox:
    """A running sandbox, and how to reach it.

    Args:
        variables: All of it as environment variables: PG…, AWS_…, AIRFLOW_CONN_… (holds secrets).
    """

    variables: Mapping[str, str] = field(repr=False)

    @property
    def host(self) -> str:
        """The Redshift endpoint's address."""
        return self.variables["PGHOST"]

    @property
    def port(self) -> int:
        """The Redshift endpoint's port."""
        return int(self.variables["PGPORT"])

    @property
    def database(self) -> str:
        """The name of the database."""
        return self.variables["PGDATABASE"]

    @property
    def user(self) -> str:
        """The name of the master user."""
        return self.variables["PGUSER"]

    @property
    def password(self) -> str:
        """The master user's password."""
        return self.variables["PGPASSWORD"]

    @property
    def aws_endpoint_url(self) -> str:
        """Where S3, IAM, the Redshift API and its Data API answer."""
        return self.variables["AWS_ENDPOINT_URL"]


@contextlib.contextmanager
def lent() -> Iterator[RedshiftSandbox]:
    """A sandbox with ports and a folder of its own; any number runs on one machine at once.

    It is gone when the block ends, and when this process does, however that happens.

    Raises:
        RuntimeError: It did not start; the message says why.
    """
    own = _REPOSITORY / ".venv" / "bin" / "python"
    python = str(own) if own.exists() else sys.executable
    # A session of its own: Ctrl-C reaches the tests first, and they end it.
    lender = subprocess.Popen(
        [python, "-m", "sandbox", "lend"],
        cwd=_REPOSITORY,
        env={name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert lender.stdin is not None  # noqa: S101 - for mypy: it is a pipe
    assert lender.stdout is not None  # noqa: S101
    try:
        line = lender.stdout.readline()
        if not line:
            raise RuntimeError(f"the sandbox did not start (exit code {lender.wait()}); see above")
        yield RedshiftSandbox(json.loads(line))
    finally:
        lender.stdin.close()
        lender.wait(_PATIENCE_SECONDS)
        lender.stdout.close()


@pytest.fixture(scope="session")
def redshift_sandbox() -> Iterator[RedshiftSandbox]:
    """A sandbox for the whole session; its variables are set, so that boto3, libpq and Airflow find it."""
    with lent() as sandbox, pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
        for name, value in sandbox.variables.items():
            patch.setenv(name, value)
        yield sandbox
