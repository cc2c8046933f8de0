"""A Docker daemon of the tests' own, and the programs that talk to it."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

# A daemon to use instead, whose images are kept and taken as they are; for those who change these tests.
HOST_VARIABLE = "COMPOSE_TEST_DOCKER_HOST"
PATIENCE_SECONDS = 600.0
_PROGRAMS = ("docker", "dockerd", "docker-compose", "debootstrap", "iptables")


def missing() -> str:
    """Why no containers can be run here; empty if they can."""
    if os.geteuid() != 0:
        return "containers need root"
    absent = [program for program in _PROGRAMS if not shutil.which(program)]
    return (
        f"not installed: {', '.join(absent)} (Debian: docker.io docker-compose debootstrap)" if absent else ""
    )


def run(
    command: Sequence[str], *, check: bool = True, environment: Mapping[str, str] | None = None, **more: Any
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; what it said is in the error if it fails."""
    done = subprocess.run(
        list(command), env=environment, capture_output=True, text=True, check=False, timeout=1500, **more
    )
    if check:
        assert done.returncode == 0, f"{' '.join(command)}:\n{(done.stdout + done.stderr)[-6000:]}"
    return done


class Docker:
    """One daemon.

    Args:
        host: its address.
        keeps: whether it outlives the tests.
    """

    def __init__(self, host: str, *, keeps: bool) -> None:
        self.host = host
        self.keeps = keeps

    @property
    def environment(self) -> dict[str, str]:
        """A small environment, so that no variable of whoever runs the tests gets into compose files."""
        return {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "DOCKER_HOST": self.host}

    def __call__(self, *words: str, check: bool = True, **more: Any) -> str:
        """The output of a docker command."""
        return run(["docker", *words], check=check, environment=self.environment, **more).stdout.strip()

    def has_image(self, name: str) -> bool:
        """Whether there is an image of that name."""
        return bool(self("image", "ls", "--quiet", name))

    def inspect(self, name: str) -> dict[str, Any]:
        """What the daemon knows of a container or an image."""
        found: list[dict[str, Any]] = json.loads(self("inspect", name))
        return found[0]


@contextlib.contextmanager
def daemon(folder: Path) -> Iterator[Docker]:
    """A daemon that keeps everything in `folder`; it and its containers end with the block."""
    if host := os.environ.get(HOST_VARIABLE):
        yield Docker(host, keeps=True)
        return
    if run(["docker", "info"], check=False).returncode == 0:
        pytest.skip(
            "a Docker daemon runs here already, and its images stay untouched:"
            f" stop it, or set {HOST_VARIABLE}"
        )
    docker = Docker(f"unix://{folder}/docker.sock", keeps=False)
    arguments = [f"--data-root={folder}/data", f"--exec-root={folder}/exec", f"--pidfile={folder}/pid"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(shutil.which("dockerd")), f"--host={docker.host}", *arguments],
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_for_daemon(docker, process, folder / "log")
        yield docker
    finally:
        _remove_containers(docker)
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(60)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        _unmount(folder)


def _wait_for_daemon(docker: Docker, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while run(["docker", "info"], check=False, environment=docker.environment).returncode != 0:
        said = log.read_text(errors="replace")[-2000:]
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.skip(f"dockerd does not start here: {said}")
        time.sleep(0.2)


def _unmount(folder: Path) -> None:
    """Let go of what the daemon has mounted below its folder, which could not be removed otherwise."""
    mounted = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for path in sorted((path for path in mounted if path.startswith(f"{folder}/")), reverse=True):
        run(["umount", path], check=False)


def _remove_containers(docker: Docker) -> None:
    """Remove what a test that was interrupted has left."""
    containers = docker("ps", "--all", "--quiet", check=False).split()
    if containers:
        docker("rm", "--force", "--volumes", *containers, check=False)
    docker("network", "prune", "--force", check=False)
