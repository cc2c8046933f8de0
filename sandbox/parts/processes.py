"""Background processes: start them detached, recognise them later, wait for them, stop them.

A process is recognised by two variables it was started with, its part's name and SANDBOX_HOME, not by a
number in a file: nothing can go stale, its children are recognised too, and a process id that was given to
someone else is never signalled. One that hides its variables is recognised by the session it was born in.
"""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import psutil

from sandbox.errors import SandboxError
from sandbox.parts.settings import REPOSITORY, Settings

_LOG_LIMIT_BYTES = 20_000_000
_POLL_SECONDS = 0.02
PART = "SANDBOX_PART"
_GONE = (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess, OSError)


class ProcessError(SandboxError):
    """A process of the sandbox did not start, or ended before it was ready."""


def spawn(
    command: Sequence[str],
    log: Path,
    environment: Mapping[str, str],
    folder: Path | None = None,
    descriptors: Sequence[int] = (),
) -> psutil.Popen:
    """Start a process in a session of its own, so that closing the terminal leaves it running.

    Args:
        command: Program and arguments; never holds a secret, as everyone can read it.
        log: File that receives its output, appended.
        environment: Its whole environment.
        folder: Its working directory; by default the current one.
        descriptors: Open files that it inherits.

    Raises:
        ProcessError: The program cannot be executed.
    """
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _rotate(log)
    try:
        with open(log, "ab", opener=_private) as output:
            return psutil.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                cwd=folder,
                pass_fds=tuple(descriptors),
                start_new_session=True,
                umask=0o077,
            )
    except OSError as error:
        raise ProcessError(f"{command[0]} cannot be started: {error}.") from error


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


def start_module(module: str, name: str, settings: Settings, log: Path) -> psutil.Popen:
    """Start a Python module as the part `name` of a sandbox, with the repository as its folder."""
    environment = {**os.environ, **settings.environment(), PART: name, "PYTHONUNBUFFERED": "1"}
    return spawn([sys.executable, "-m", module], log, environment, folder=REPOSITORY)


def find_part(name: str, home: Path, sessions: Iterable[int] = ()) -> list[psutil.Process]:
    """Every running process of a part of the sandbox, its main process first.

    Args:
        name: The part's name.
        home: The sandbox's folder.
        sessions: Process ids of those that began a session; what hides its variables is the part's if it was
            born in one of them. A session's number is not given away as long as anyone is in it; where it has
            been since, it is left out.
    """
    kept = {session for session in sessions if not _is_given_away(session, name, home)}
    family = [process for process in psutil.process_iter() if _is_part(process, name, home, kept)]
    return sort_family(family)


def _is_given_away(pid: int, name: str, home: Path) -> bool:
    try:
        process = psutil.Process(pid)
    except psutil.NoSuchProcess:
        return False
    return is_alive(process) and not _is_part(process, name, home)


def sort_family(family: list[psutil.Process]) -> list[psutil.Process]:
    """Processes that belong together, with those whose parent is not among them first."""
    pids = {process.pid for process in family}

    def has_parent(process: psutil.Process) -> bool:
        try:
            return process.ppid() in pids
        except _GONE:
            return True

    return sorted(family, key=has_parent)


def _is_part(process: psutil.Process, name: str, home: Path, sessions: Collection[int] = ()) -> bool:
    try:
        environment = process.environ()
        return environment.get(PART) == name and environment.get("SANDBOX_HOME") == str(home)
    except psutil.AccessDenied:
        return bool(sessions) and _is_ours_in(process, sessions)
    except _GONE:  # a zombie has no environment either
        return False


def _is_ours_in(process: psutil.Process, sessions: Collection[int]) -> bool:
    try:
        ours = process.uids().real == os.geteuid() and os.getsid(process.pid) in sessions
        return ours and is_alive(process)
    except _GONE:
        return False


def is_alive(process: psutil.Process) -> bool:
    """Whether the process still runs (a dead child that nobody waited for does not)."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except _GONE:
        return False


def stop(processes: Iterable[psutil.Process], signal_number: int, patience: float = 20.0) -> None:
    """End processes: ask with a signal, and kill what still runs after `patience` seconds."""
    asked = list(processes)
    _send(asked, signal_number)
    stubborn = _wait_for_end(asked, patience)
    _send(stubborn, signal.SIGKILL)
    _wait_for_end(stubborn, patience)


def _send(processes: Iterable[psutil.Process], signal_number: int) -> None:
    for process in processes:
        with contextlib.suppress(*_GONE):
            process.send_signal(signal_number)


def _wait_for_end(processes: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Wait for processes to end; returns those that still run.

    psutil's own waiting would wait for zombies too, and a container's first process may never reap them.
    """
    deadline = time.monotonic() + seconds
    alive = [process for process in processes if is_alive(process)]
    while alive and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        alive = [process for process in alive if is_alive(process)]
    return alive


def wait_until(
    ready: Callable[[], bool], family: Iterable[psutil.Process], name: str, log: Path, seconds: float = 60.0
) -> None:
    """Wait until `ready()` is true.

    Raises:
        ProcessError: A process of the family ended, or `seconds` passed; the message ends with the last
            lines of its log.
    """
    needed = list(family)
    deadline = time.monotonic() + seconds
    while not ready():
        if not all(is_alive(process) for process in needed):
            raise ProcessError(f"{name} ended while starting. The end of {log}:\n{tail(log)}")
        if time.monotonic() > deadline:
            raise ProcessError(
                f"{name} was not ready after {seconds:.0f} seconds. The end of {log}:\n{tail(log)}"
            )
        time.sleep(_POLL_SECONDS)


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log file, indented; a note when there are none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 16_384))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        text = ""
    return "\n".join(f"  {line}" for line in text.splitlines()[-lines:]) or "  (the log is empty)"


@contextlib.contextmanager
def lock(path: Path, busy: Callable[[], None]) -> Iterator[None]:
    """Hold a lock file; a second holder waits, and `busy()` is called once before it does."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            busy()
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _rotate(log: Path) -> None:
    """Keep one older log, so that a sandbox used for months does not fill the disk."""
    if log.exists() and log.stat().st_size > _LOG_LIMIT_BYTES:
        log.replace(log.with_name(log.name + ".1"))
