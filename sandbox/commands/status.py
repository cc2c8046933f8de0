"""``python -m sandbox status``: how each part is."""

import argparse

from sandbox import lifecycle
from sandbox.lifecycle import PartStatus
from sandbox.parts.parts import PARTS, part_names
from sandbox.parts.settings import Settings, home_folder
from sandbox.terminal.console import say

_UNHEALTHY = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``status``."""
    parser.add_argument("part", nargs="*", help=f"only these parts: {', '.join(PARTS)}")


def run(args: argparse.Namespace) -> int:
    """Print one line a part; return 0 if all are healthy, else 3.

    Raises:
        SandboxError: There is no part of that name.
    """
    names = part_names(args.part) if args.part else ()
    if not home_folder().exists():
        say(f"There is no sandbox in {home_folder()}. Make one: python -m sandbox up")
        return _UNHEALTHY
    parts = lifecycle.status(Settings.load(), names)
    say(f"{'part':<10}{'pid':>8}{'port':>7}  health")
    for part in parts:
        say(f"{part.name:<10}{part.pid or '-':>8}{part.port or '-':>7}  {_health(part)}")
    if all(part.healthy for part in parts):
        return 0
    say("Start what is missing: python -m sandbox up. What happened: python -m sandbox logs")
    return _UNHEALTHY


def _health(part: PartStatus) -> str:
    if part.healthy:
        return "ok"
    return "not answering" if part.pid else "not running"
