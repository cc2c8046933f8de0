"""Random choices that are the same on every machine and every Python.

Of :class:`random.Random` only ``random()`` is used, the one method whose sequence Python promises to keep
(https://docs.python.org/3/library/random.html#notes-on-reproducibility). Weights need only + and /, which
IEEE 754 rounds alike everywhere; ``log`` and ``pow`` may differ between C libraries.
"""

import random
from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from typing import TypeVar

T = TypeVar("T")


def stream(*path: object) -> random.Random:
    """Open the random sequence that ``path`` names, such as ``(seed, "day", date)``."""
    return random.Random("/".join(str(part) for part in path))  # noqa: S311 — sample data, not secrets


def below(rng: random.Random, limit: int) -> int:
    """Draw an integer from 0 to ``limit`` - 1."""
    return int(rng.random() * limit)


def pick(rng: random.Random, choices: Sequence[T]) -> T:
    """Draw one of ``choices``, all equally likely."""
    return choices[int(rng.random() * len(choices))]


def cumulative(weights: Sequence[float]) -> list[float]:
    """Turn weights into rising shares that end with 1.0, ready for :func:`draw`."""
    sums = list(accumulate(weights))
    return [part / sums[-1] for part in sums[:-1]] + [1.0]


def draw(rng: random.Random, shares: Sequence[float]) -> int:
    """Draw an index according to the rising ``shares`` of :func:`cumulative`."""
    return bisect(shares, rng.random())


def zipf(count: int, flatness: float) -> list[float]:
    """Weigh ``count`` ranks by 1 / (rank + flatness): the flatter, the less the first ones dominate."""
    return cumulative([1.0 / (rank + flatness) for rank in range(1, count + 1)])
