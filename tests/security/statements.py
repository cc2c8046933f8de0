"""Statements of every kind (statements.txt), and what chance makes of them."""

import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path

VALID = tuple((Path(__file__).parent / "statements.txt").read_text().splitlines())
_LONGEST = 200_000
_TOKEN = re.compile(r"\s+|'(?:[^']|'')*'|\"[^\"]*\"|\$\$.*?\$\$|[A-Za-z_#][A-Za-z_0-9]*|[0-9.]+|.", re.DOTALL)
_TOKENS = [token for text in VALID for token in _TOKEN.findall(text) if not token.isspace()]
_ODD = (
    *(
        "'",
        '"',
        "''",
        '""',
        "\\",
        "\\'",
        "$$",
        "$a$",
        "/*",
        "*/",
        "/**/",
        "--",
        "--\n",
        ";",
        ";;",
        "\n",
        "\r",
        "\v",
        "\f",
    ),
    *(
        "\u00a0",
        "\u2028",
        "\ufeff",
        "\ufffe",
        "\U0001f600",
        "é",
        "İ",
        "\u017f",
        "ß",
        "٣",
        "²",
        "\u202e",
        "\x01",
        "\x7f",
    ),
    *(
        "U&'",
        "E'",
        "B'1'",
        "X'",
        "N'",
        "0x1F",
        "1_000",
        "1e400",
        "9" * 400,
        ".",
        "..",
        "::",
        ":=",
        "=>",
        "->>",
        "@@",
    ),
    *(
        "$1",
        "$0",
        "$99999999999",
        "%s",
        "%",
        "?",
        "{",
        "}",
        "[",
        "]",
        "[1]",
        "(",
        ")",
        "()",
        ",",
        "NULL",
        "*",
        "#",
        "#t",
    ),
    *(
        "-1",
        "'-1'",
        "''''",
        "'\U0001f600'",
        '"\U0001f600"',
        "'" + "x" * 5000 + "'",
        "a" * 300,
        "AS",
        "\t",
        "@",
        "~",
        "^",
    ),
)


def without_a_token() -> Iterator[str]:
    """Every statement of VALID without what is behind one of its tokens, and without that token alone."""
    for statement in VALID:
        tokens = _TOKEN.findall(statement)
        for at in range(len(tokens)):
            yield "".join(tokens[:at])
            yield "".join(tokens[:at] + tokens[at + 1 :])


def mutated(chance: random.Random) -> str:
    """A statement of VALID after one to six changes."""
    tokens = _TOKEN.findall(chance.choice(VALID))
    for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
        if len(tokens) > _LONGEST:
            break
        tokens = chance.choice(_CHANGES)(tokens, chance)
    text = "".join(tokens)
    if chance.random() < 0.1:
        text = f"{text}; {chance.choice(VALID)}"
    return text[:_LONGEST]


def _place(tokens: list[str], chance: random.Random) -> int:
    return chance.randrange(len(tokens) + 1)


def _removed(tokens: list[str], chance: random.Random) -> list[str]:
    at = _place(tokens, chance)
    return tokens[:at] + tokens[at + chance.randint(1, 3) :]


def _cut(tokens: list[str], chance: random.Random) -> list[str]:
    return tokens[: _place(tokens, chance)]


def _doubled(tokens: list[str], chance: random.Random) -> list[str]:
    at = _place(tokens, chance)
    return tokens[: at + chance.randint(1, 8)] + tokens[at:]


def _swapped(tokens: list[str], chance: random.Random) -> list[str]:
    if len(tokens) < 2:
        return tokens
    first, second = chance.sample(range(len(tokens)), 2)
    tokens = [*tokens]
    tokens[first], tokens[second] = tokens[second], tokens[first]
    return tokens


def _inserted(tokens: list[str], chance: random.Random) -> list[str]:
    at = _place(tokens, chance)
    return [
        *tokens[:at],
        chance.choice(["", " "]),
        chance.choice(_ODD),
        chance.choice(["", " "]),
        *tokens[at:],
    ]


def _replaced(tokens: list[str], chance: random.Random) -> list[str]:
    at = _place(tokens, chance)
    return [*tokens[:at], chance.choice(_TOKENS), *tokens[at + 1 :]]


def _spliced(tokens: list[str], chance: random.Random) -> list[str]:
    other = _TOKEN.findall(chance.choice(VALID))
    return [*tokens[: _place(tokens, chance)], " ", *other[_place(other, chance) :]]


def _nested(tokens: list[str], chance: random.Random) -> list[str]:
    at, depth = _place(tokens, chance), chance.choice((1, 2, 3, 50, 3000))
    opening = chance.choice(
        ("(", "(SELECT a FROM t WHERE a = (", "NVL(", "CASE WHEN ", "/*", "-", "NOT ", "[", "a.", "'a'||")
    )
    closing = {"(": ")", "NVL(": ",1)", "CASE WHEN ": " THEN 1 END", "/*": "*/", "[": "]"}.get(opening, "")
    middle = tokens[at : at + 2] or ["1"]
    return [*tokens[:at], opening * depth, *middle, closing * depth, *tokens[at + 2 :]]


def _listed(tokens: list[str], chance: random.Random) -> list[str]:
    at, count = _place(tokens, chance), chance.choice((2, 10, 2000))
    some = "".join(tokens[at : at + chance.randint(1, 4)])
    return [*tokens[:at], ",".join([some] * count), *tokens[at:]]


def _recased(tokens: list[str], chance: random.Random) -> list[str]:
    at = _place(tokens, chance)
    return [*tokens[:at], *(token.swapcase() for token in tokens[at : at + 3]), *tokens[at + 3 :]]


_CHANGES: tuple[Callable[[list[str], random.Random], list[str]], ...] = (
    *(_removed, _cut, _doubled, _swapped, _inserted, _inserted, _replaced, _replaced, _spliced, _nested),
    *(_listed, _recased),
)
