"""``python -m sandbox demo``: see `sandbox.demo.demo`."""

import argparse

from sandbox.demo.demo import main
from sandbox.parts.settings import Settings


def add_arguments(_: argparse.ArgumentParser) -> None:
    """It has no options."""


def run(_: argparse.Namespace) -> int:
    """Run the demo; return its exit code."""
    return main(Settings.load())
