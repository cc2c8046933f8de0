"""Faults built into the pipeline's code, one for each rule that keeps the tables right."""

from collections.abc import Callable

MUTATIONS: dict[str, Callable[[], None]] = {}
