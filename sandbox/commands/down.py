"""``python -m sandbox down``: stop every part, whatever state the sandbox is in."""

import argparse

from sandbox import lifecycle
from sandbox.parts.settings import home_folder
from sandbox.terminal.console import say


def add_arguments(_: argparse.ArgumentParser) -> None:
    """It has no options."""


def run(_: argparse.Namespace) -> int:
    """Bring the sandbox down; return 0."""
    home = home_folder()
    if lifecycle.down(home):
        say(f"The sandbox is down; its data stays in {home}.")
    else:
        say(f"No sandbox was running in {home}.")
    return 0
