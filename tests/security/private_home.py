"""What somebody else could do with the files of a sandbox."""

import os
import stat
from pathlib import Path


def readable_by_others(folder: Path) -> list[str]:
    """Every file and folder below that somebody else might read or write."""
    found = []
    for path, status in _below(folder):
        plain = stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)
        if plain and status.st_mode & 0o077:
            found.append(f"{path} {stat.S_IMODE(status.st_mode):04o}")
    return found


def of_others(home: Path) -> list[str]:
    """Everything below that another user owns; PostgreSQL's own, where root started it, excepted."""
    found = []
    for path, status in _below(home):
        is_postgres = os.geteuid() == 0 and path.relative_to(home).parts[:1] in {("postgres",), ("socket",)}
        if status.st_uid != os.geteuid() and not is_postgres:
            found.append(f"{path} {status.st_uid}")
    return found


def _below(folder: Path) -> list[tuple[Path, os.stat_result]]:
    found = []
    for path in (folder, *folder.rglob("*")):
        try:
            found.append((path, path.lstat()))
        except FileNotFoundError:  # its owner is at work
            continue
    return found
