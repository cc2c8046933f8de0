"""The sandbox's folder is its owner's alone: nobody else may have made it, change or read it."""

import contextlib
import os
import stat
from pathlib import Path

from sandbox.errors import SandboxError

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


class PrivacyError(SandboxError):
    """Somebody else could change or replace the sandbox's folder."""


def keep_private() -> None:
    """Let nobody else read what this process and its children make from now on."""
    os.umask(0o077)


def make_private(folder: Path) -> None:
    """Make the folder with mode 0700 if it is missing, and refuse one that is not this user's alone.

    Args:
        folder: an absolute path without links.

    Raises:
        PrivacyError: It belongs to somebody else, others may write to it, or could replace it.
        OSError: It cannot be made.
    """
    # With the umask of whoever calls: missing parents are none of the sandbox's secrets.
    folder.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        folder.chmod(0o700)  # whatever the umask is
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode):
        raise PrivacyError(f"{folder} is no folder: set SANDBOX_HOME to another one.")
    if status.st_uid != os.geteuid():
        raise PrivacyError(
            f"The sandbox's folder {folder} belongs to another user (id {status.st_uid}), who could plant "
            "files there. Run as that user, make it yours (chown), or set SANDBOX_HOME to another folder."
        )
    if status.st_mode & _WRITABLE_BY_OTHERS:
        raise PrivacyError(
            f"Others may write to the sandbox's folder {folder} (mode {stat.S_IMODE(status.st_mode):04o}). "
            f"See what is in it, then: chmod 700 '{folder}' - or set SANDBOX_HOME to another folder."
        )
    _check_parents(folder)


def _check_parents(folder: Path) -> None:
    """Refuse a folder that others could rename and put theirs in its place, as sshd does (StrictModes).

    In a folder with the sticky bit, such as /tmp, only the owner of an entry may rename it.
    """
    for parent in folder.parents:
        status = parent.stat()
        strange = status.st_uid not in {0, os.geteuid()}
        open_to_all = status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX
        if strange or open_to_all:
            who = f"user {status.st_uid}, who owns" if strange else "everyone may write to"
            raise PrivacyError(
                f"{parent}, which the sandbox's folder {folder} is in, is not safe: {who} it, and could put "
                "another folder in its place. Set SANDBOX_HOME to a folder in your home directory."
            )


def tighten(folder: Path) -> None:
    """Take every right of others on what this user owns in the folder; links are not followed.

    What an earlier version, or a looser umask, has left is private from now on.
    """
    for _, _, files, descriptor in os.fwalk(folder, follow_symlinks=False, onerror=None):
        for entry in (".", *files):
            with contextlib.suppress(OSError):  # gone meanwhile
                status = os.stat(entry, dir_fd=descriptor, follow_symlinks=False)
                plain = stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)
                if plain and status.st_uid == os.geteuid() and status.st_mode & _OTHERS:
                    _close(entry, descriptor, status)


def _close(entry: str, descriptor: int, seen: os.stat_result) -> None:
    # Through a descriptor: the name could be a link by now.
    file = os.open(entry, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=descriptor)
    try:
        found = os.fstat(file)
        if (found.st_dev, found.st_ino) == (seen.st_dev, seen.st_ino):
            os.fchmod(file, stat.S_IMODE(found.st_mode) & ~_OTHERS)
    finally:
        os.close(file)
