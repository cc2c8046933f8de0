"""``python -m sandbox run``: parts of the sandbox in the foreground, as a container's main process."""

import argparse

from sandbox.commands.foreground import serve
from sandbox.parts.parts import PARTS, part_names
from sandbox.parts.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``run``."""
    parser.add_argument("part", nargs="*", help=f"only these parts: {', '.join(PARTS)}")


def run(args: argparse.Namespace) -> int:
    """Run the parts until SIGTERM or SIGINT; return 0 then, and 1 when one of them has ended by itself.

    Raises:
        SandboxError: There is no part of that name, or one did not start.
    """
    return serve(Settings.load(), part_names(args.part))
