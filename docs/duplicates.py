"""Lines that two files have in common, one after the other."""

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path

LINES = 6

Line = tuple[int, str]
Place = tuple[Path, int]


def find_duplicates(files: Iterable[Path], root: Path) -> list[str]:
    """Return the runs of at least LINES equal lines that two files share, with the first line of each.

    Lines are compared without indentation; imports, docstrings, comments and lines of brackets do not count.

    Args:
        files: what to compare.
        root: the folder that they are named from.
    """
    texts = {file: list(_lines(file.read_text())) for file in files}
    pairs = set(_equal_pairs(texts))
    # What follows an equal line is a part of the same run.
    starts = [pair for pair in pairs if _before(pair) not in pairs]
    return sorted(_describe(texts, left, right, root) for left, right in starts)


def _describe(texts: Mapping[Path, Sequence[Line]], left: Place, right: Place, root: Path) -> str:
    places = [f"{file.relative_to(root)}:{texts[file][index][0]}" for file, index in (left, right)]
    return f"{' and '.join(places)}: {texts[left[0]][left[1]][1]}"


def _equal_pairs(texts: Mapping[Path, Sequence[Line]]) -> Iterator[tuple[Place, Place]]:
    """Yield each two places in different files from which on LINES lines are equal."""
    places = defaultdict[tuple[str, ...], list[Place]](list)
    for file, text in texts.items():
        for first in range(len(text) - LINES + 1):
            places[tuple(line for _, line in text[first : first + LINES])].append((file, first))
    for same in places.values():
        yield from ((left, right) for left, right in combinations(same, 2) if left[0] != right[0])


def _before(pair: tuple[Place, Place]) -> tuple[Place, Place]:
    (left, i), (right, j) = pair
    return (left, i - 1), (right, j - 1)


def _lines(source: str) -> Iterator[Line]:
    """Yield the lines that count, each with its number."""
    left_out = {
        number
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.stmt) and _is_left_out(node)
        for number in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    for number, line in enumerate(source.splitlines(), 1):
        text = " ".join(line.split())
        if number not in left_out and not text.startswith("#") and any(map(str.isalpha, text)):
            yield number, text


def _is_left_out(node: ast.stmt) -> bool:
    is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return is_docstring or isinstance(node, ast.Import | ast.ImportFrom)
