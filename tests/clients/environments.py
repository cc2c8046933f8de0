"""The clients' own environments: made from their locks when a test first asks, kept until a lock changes."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from uv import find_uv_bin

from tests.conftest import REPOSITORY

FOLDER = Path(__file__).parent
BUILT = REPOSITORY / "build" / "clients"
# No client has anything to tell its maker from here.
SILENCE = {
    "DO_NOT_TRACK": "1",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "SQLMESH__DISABLE_ANONYMIZED_ANALYTICS": "true",
    "SODA_CORE_TELEMETRY_ENABLED": "false",
}

# What was there before a sandbox was: of certificates, those of the world outside.
_OUTSIDE = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}


def programs(client: str) -> Path:
    """The folder of a client's programs, python among them; installed now unless it is there."""
    lock = FOLDER / client / "requirements.txt"
    return _installed(client, lock, _install_python) / "bin"


def node_modules() -> Path:
    """The packages of node's client, as `NODE_PATH` takes them."""
    return _installed("node", FOLDER / "node" / "package-lock.json", _install_node) / "node_modules"


def jar() -> Path:
    """Debian's pgjdbc, unpacked from its package."""
    folder = _installed("pgjdbc", FOLDER / "pgjdbc" / "package.txt", _unpack_jar)
    return folder / "usr" / "share" / "java" / "postgresql.jar"


def _installed(client: str, lock: Path, install: Any) -> Path:
    home, stamp = BUILT / client, BUILT / f"{client}.stamp"
    digest = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()
    BUILT.mkdir(parents=True, exist_ok=True)
    with (BUILT / f"{client}.lock").open("w") as file:  # several processes share the tests
        fcntl.flock(file, fcntl.LOCK_EX)
        if not (home.exists() and stamp.exists() and stamp.read_text() == digest):
            stamp.unlink(missing_ok=True)
            shutil.rmtree(home, ignore_errors=True)
            install(home, lock)
            stamp.write_text(digest)
    return home


def _install_python(home: Path, lock: Path) -> None:
    uv = find_uv_bin()  # the program itself: `python -m uv` would take this Python's environment for its own
    _run([uv, "venv", "--quiet", "--python", sys.executable, str(home)], _OUTSIDE)
    # The target is named: what is not in the lock is removed there.
    sync = ["pip", "sync", "--quiet", "--python", str(home / "bin" / "python")]
    _run([uv, *sync, "--only-binary", ":all:", "--require-hashes", str(lock)], _OUTSIDE)


def _install_node(home: Path, lock: Path) -> None:
    home.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(lock.with_name(name), home)
    npm = shutil.which("npm") or "npm"
    _run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(home)], _OUTSIDE)


def _unpack_jar(home: Path, lock: Path) -> None:
    package, digest = lock.read_text().split()
    home.mkdir()
    _run(["apt-get", "download", "--quiet", package], dict(os.environ), home)
    [deb] = home.glob("*.deb")
    assert "sha256:" + hashlib.sha256(deb.read_bytes()).hexdigest() == digest, f"{deb.name} is another file"
    _run(["dpkg-deb", "--extract", str(deb), str(home)], _OUTSIDE)


def run(client: str, script: str, environment: Mapping[str, str], *words: str) -> Any:
    """Run a script of a client's folder by the client's Python; return what it printed last, read as JSON."""
    command = [str(programs(client) / "python"), str(FOLDER / client / script), *words]
    return json.loads(_run(command, environment).splitlines()[-1])


def command(client: str, words: list[str], environment: Mapping[str, str]) -> str:
    """Run a program of a client, which must succeed; return its output."""
    done = attempt(client, words, environment)
    assert done.returncode == 0, _told(done)
    return done.stdout


def attempt(
    client: str, words: list[str], environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a program of a client."""
    folder = programs(client)
    path = f"{folder}{os.pathsep}{environment['PATH']}"
    return _done([str(folder / words[0]), *words[1:]], {**environment, "PATH": path})


def outside(words: list[str], environment: Mapping[str, str]) -> str:
    """Run a program of this machine; return its output."""
    return _run(words, environment)


def _run(words: list[str], environment: Mapping[str, str], folder: Path | None = None) -> str:
    done = _done(words, environment, folder)
    assert done.returncode == 0, _told(done)
    return done.stdout


def _done(
    words: list[str], environment: Mapping[str, str], folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words,
        env={**environment, **SILENCE},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


def _told(done: subprocess.CompletedProcess[str]) -> str:
    return f"{' '.join(done.args)}\n{done.stdout[-6000:]}\n{done.stderr[-6000:]}"
