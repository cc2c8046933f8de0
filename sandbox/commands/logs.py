"""``python -m sandbox logs``: the logs of the parts."""

import argparse
import subprocess
import sys

from sandbox.errors import SandboxError
from sandbox.parts.settings import home_folder
from sandbox.terminal.console import printable

_NAMES = ("postgres", "aws", "redshift", "airflow")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``logs``."""
    parser.add_argument("part", nargs="?", choices=_NAMES, help="only this part's log")
    parser.add_argument("-f", "--follow", action="store_true", help="go on showing what is added")
    parser.add_argument("-n", "--lines", type=int, default=50, help="last lines of each log (%(default)s)")


def run(args: argparse.Namespace) -> int:
    """Show the end of the logs; return tail's exit code.

    Raises:
        SandboxError: There is no log yet.
    """
    folder = home_folder() / "logs"
    names = [args.part] if args.part else _NAMES
    files = [str(path) for name in names if (path := folder / f"{name}.log").exists()]
    if not files:
        raise SandboxError(f"There is no log of {' or '.join(names)} in {folder} yet: python -m sandbox up")
    follow = ["-F"] if args.follow else []
    command = ["/usr/bin/env", "tail", "-n", str(args.lines), *follow, *files]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as tail:
        # Logs quote what strangers have sent; as text, a carriage return would begin a line of its own.
        for line in tail.stdout or ():
            sys.stdout.write(printable(line.decode(errors="surrogateescape"), keep="\n\t"))
            sys.stdout.flush()
    return tail.returncode
