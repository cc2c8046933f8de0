"""``make audit``: which locked packages are known to be vulnerable, as PyPI or another database says."""

import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
# The other two locks are parts of the first.
LOCKS = (REPOSITORY / "requirements-dev.txt", REPOSITORY / "requirements-celery.txt")
CLEAN, FOUND, UNKNOWN = 0, 1, 3


def main(options: Sequence[str], locks: Iterable[Path] = LOCKS) -> int:
    """Ask for every package of the locks and say what was answered.

    Args:
        options: of pip-audit, such as ``--vulnerability-service osv``.
        locks: with a hash for everything in them, or pip-audit refuses them.

    Returns:
        0 if the database knows all of the packages and nothing against them, 1 if it knows something, and 3
        if it cannot be reached or does not know them all: then nobody can say.
    """
    packages: list[dict[str, Any]] = []
    for lock in locks:
        done = subprocess.run(_command(lock, options), capture_output=True, text=True, check=False)
        try:
            packages += json.loads(done.stdout)["dependencies"]
        except ValueError:
            _say(f"{lock.name} was not checked: no answer from the database.\n{_end(done.stderr)}")
            return UNKNOWN
    return _judge({package["name"]: package for package in packages})


def _command(lock: Path, options: Sequence[str]) -> list[str]:
    fixed = ["--require-hashes", "--disable-pip", "--format", "json", "--progress-spinner", "off"]
    return [sys.executable, "-m", "pip_audit", *fixed, "--requirement", str(lock), *options]


def _judge(packages: dict[str, dict[str, Any]]) -> int:
    unknown = [name for name, package in packages.items() if "skip_reason" in package]
    found = 0
    for name, package in packages.items():
        for hole in package.get("vulns", ()):
            found += 1
            mended = ", ".join(hole["fix_versions"]) or "no version yet"
            _say(f"{name} {package['version']}: {hole['id']}, mended in {mended}")
    checked = len(packages) - len(unknown)
    _say(f"{checked} of {len(packages)} locked packages were checked; known holes: {found}.")
    if found:
        _say("Raise the bound in pyproject.toml if there is one, then: make lock UPGRADE='-P NAME'")
        return FOUND
    if unknown:
        some = ", ".join(unknown[:5]) + (" …" if unknown[5:] else "")
        _say(f"Not clean: this database says nothing of {some}")
        _say("Ask another: make audit AUDIT='--vulnerability-service osv'")
        return UNKNOWN
    return CLEAN


def _end(text: str) -> str:
    return f"  {text.splitlines()[-1][:300]}" if text else ""


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
