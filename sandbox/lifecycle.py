"""Bringing a sandbox up and down, and telling how it is."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from sandbox.airflow.airflow import Airflow
from sandbox.parts import processes
from sandbox.parts.parts import PARTS, Part, all_parts
from sandbox.parts.privacy import tighten
from sandbox.parts.settings import Settings
from sandbox.terminal.console import note, step

_LOCK = "sandbox.lock"
ALL = (*PARTS, Airflow.name)


@dataclass(frozen=True)
class PartStatus:
    """How one part of a sandbox is; `pid` is None where nothing runs, `port` where it needs none."""

    name: str
    pid: int | None
    port: int | None
    healthy: bool


def up(settings: Settings, names: Collection[str] = PARTS) -> list[str]:
    """Start what does not run of the parts named and wait until all of them are healthy.

    Safe to call at any time and from several processes at once. If it fails, it stops what it had started.

    Args:
        settings: of the sandbox.
        names: of the parts; Airflow is only started where it is named.

    Returns:
        The names of the parts it started.

    Raises:
        SandboxError: A port is taken, or a part did not start.
    """
    with processes.lock(settings.home / _LOCK, _tell_waiting):
        tighten(settings.home)
        missing = [part for part in _parts(settings, names) if not part.is_healthy()]
        for part in missing:
            part.check()
        return [part.name for part in _start(missing)]


def _start(missing: list[Part]) -> list[Part]:
    begun: list[Part] = []
    try:
        for part in missing:
            if part.is_healthy():  # it only missed a part that runs again now
                continue
            begun.append(part)
            with step(f"Starting the {part.title}"):
                part.start()
        for part in begun:
            with step(f"Waiting for the {part.title}"):
                part.wait()
    except BaseException:  # Ctrl-C too must leave nothing behind
        for part in reversed(begun):
            part.stop()
        raise
    return begun


def down(home: Path, names: Collection[str] = ALL) -> bool:
    """Stop every part of the sandbox at `home`, or those named, whatever state it is in.

    Returns:
        Whether anything was running.
    """
    if not home.exists():
        return False
    with processes.lock(home / _LOCK, _tell_waiting):
        parts = _parts(Settings.of_home(home), names)
        running = any(part.find() for part in parts)
        for part in reversed(parts):
            with step(f"Stopping the {part.title}"):
                part.stop()
    return running


def status(settings: Settings, names: Collection[str] = ()) -> list[PartStatus]:
    """How each part is, or those named, in the order they start; without names Airflow only where it runs."""
    return [
        _status(part)
        for part in _parts(settings, names or ALL)
        if names or part.name != Airflow.name or part.find()
    ]


def _parts(settings: Settings, names: Collection[str]) -> list[Part]:
    return [*all_parts(settings, names), *([Airflow(settings)] if Airflow.name in names else [])]


def _status(part: Part) -> PartStatus:
    family = part.find()
    return PartStatus(part.name, family[0].pid if family else None, part.port, part.is_healthy())


def _tell_waiting() -> None:
    note("Waiting for another `python -m sandbox` that starts or stops this sandbox …")
