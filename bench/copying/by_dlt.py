"""dlt as a peer: in an environment of its own, made from a lock, where that can be had."""

import os
import subprocess
import sys
from pathlib import Path

from bench.copying.place import BUCKET
from sandbox.parts.postgres import PORT
from sandbox.parts.settings import REPOSITORY, Settings

_LOCK = Path(__file__).with_name("requirements-dlt.txt")
_SCRIPT = Path(__file__).with_name("dlt_peer.py")


class NotInstalledError(Exception):
    """dlt cannot be installed here."""


def install(folder: Path) -> Path:
    """Make the environment; return its Python.

    Raises:
        NotInstalledError: There is no uv, or no registry.
    """
    uv = Path(sys.executable).with_name("uv")
    python = folder / "bin" / "python"
    commands = (
        [str(uv), "venv", "--quiet", "--python", sys.executable, str(folder)],
        [
            *(str(uv), "pip", "sync", "--quiet", "--no-build", "--require-hashes"),
            *("--python", str(python), str(_LOCK)),
        ],
    )
    for command in commands:
        try:
            subprocess.run(command, check=True, capture_output=True, text=True)
        except (OSError, subprocess.CalledProcessError) as error:
            said = getattr(error, "stderr", None) or str(error)
            raise NotInstalledError(said.strip().splitlines()[-1]) from error
    return python


def load(python: Path, settings: Settings, key: str, rows: int) -> float:
    """The load of one event file by dlt, in rows a second."""
    folder, _, name = key.rpartition("/")
    dsn = (
        f"postgresql://{settings.user}:{settings.password}@localhost/{settings.database}"
        f"?host={settings.socket_dir}&port={PORT}"
    )
    done = subprocess.run(
        [str(python), str(_SCRIPT), f"s3://{BUCKET}/{folder}", name, settings.aws_endpoint_url],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(settings.home),
            "DSN": dsn,
            "AWS_ACCESS_KEY_ID": settings.aws_access_key_id,
            "AWS_SECRET_ACCESS_KEY": settings.aws_secret_access_key,
            "RUNTIME__DLTHUB_TELEMETRY": "false",
        },
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NotInstalledError((done.stderr.strip() or "no reason given").splitlines()[-1])
    return rows / float(done.stdout.split()[-1])
