"""SQL text as tokens that know where they stand, so that one can be changed and all else stays as it was.

Not sqlglot's tokenizer: it merges and upper-cases words and gives up on operators that psql's own catalog
queries use, while a relay has to pass whatever it does not know.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast


def words(text: str) -> frozenset[str]:
    """The words of a list written as one text."""
    return frozenset(text.split())


_COMMENT = r"--[^\n]*|/\*(?:[^*]|\*(?!/))*\*/"
_PLAIN_STRING = r"'(?:[^']|'')*'"
_ESCAPE_STRING = r"'(?:[^'\\]|\\.|'')*'"


def _pattern(string: str) -> re.Pattern[str]:
    """The lexer; `string` matches an ordinary literal."""
    return re.compile(
        rf"""(?P<space>\s+|{_COMMENT})
        |(?P<string>[eE]{_ESCAPE_STRING}|[bBxXnN]{_PLAIN_STRING}|[uU]&{_PLAIN_STRING}|{string})
        |(?P<dollar>\$(?:[A-Za-z_][A-Za-z_0-9]*)?\$)
        |(?P<quoted>[uU]&"(?:[^"]|"")*"|"(?:[^"]|"")*")
        |(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
        |(?P<parameter>\$\d+)
        |(?P<word>\#?[A-Za-z_\u0080-\U0010ffff][A-Za-z_0-9$\u0080-\U0010ffff]*)
        |(?P<operator>::|:=|\|\||<=|>=|<>|!=|.)""",
        re.VERBOSE | re.DOTALL,
    )


_LEXERS = {True: _pattern(_ESCAPE_STRING), False: _pattern(_PLAIN_STRING)}

_LOWER_ASCII = {capital: capital + 32 for capital in range(ord("A"), ord("Z") + 1)}

# After these a "#name" is a temporary table's; elsewhere # is the operator for exclusive or.
_BEFORE_OPERAND = words(
    "all analyse analyze and append as between by copy default delete desc distinct else except exists from"
    " full having if in inner intersect into is join like limit lock minus not on only or outer over"
    " references rename select set table then to truncate union update using vacuum values view when where"
    " with"
)


@dataclass(frozen=True)
class Token:
    """A piece of SQL text.

    Args:
        kind: word, quoted, string, number, parameter or operator.
        text: As written.
        start: Its position in the text.
        end: The position behind it.
        spaced: Whether white space or a comment stands before it.
    """

    kind: str
    text: str
    start: int
    end: int
    spaced: bool = False

    @cached_property
    def word(self) -> str:
        """The keyword or unquoted name in lower case; empty for anything else."""
        return self.text.lower() if self.kind == "word" else ""

    @cached_property
    def name(self) -> str:
        """The identifier it denotes, folded to lower case as Redshift does; empty for anything else."""
        if self.kind == "quoted":
            return fold_ascii(self.text[1:-1].replace('""', '"'))
        return fold_ascii(self.text) if self.kind == "word" else ""

    @property
    def is_name(self) -> bool:
        """Whether it can be an identifier."""
        return self.kind in ("word", "quoted")


def fold_ascii(text: str) -> str:
    """The text with its ASCII capitals in lower case: Redshift folds no others in identifiers."""
    return text.translate(_LOWER_ASCII)


def tokenize(text: str, *, backslash_escapes: bool = True) -> list[Token]:
    """The tokens of `text`, without white space and comments.

    Args:
        text: Any SQL.
        backslash_escapes: Whether a backslash escapes in ordinary literals.
    """
    lexer = _LEXERS[backslash_escapes]
    tokens: list[Token] = []
    at, spaced = 0, False
    while at < len(text):
        match = cast("re.Match[str]", lexer.match(text, at))  # "." matches anything
        kind, end = match.lastgroup or "", match.end()
        if kind == "space":
            end = _comment_end(text, at, end)
            spaced = True
        else:
            if kind == "dollar":
                kind, end = _dollar_string(text, match)
            elif kind == "word" and text[at] == "#" and not _operand_may_follow(tokens):
                kind, end = "operator", at + 1
            tokens.append(Token(kind, text[at:end], at, end, spaced))
            spaced = False
        at = end
    return tokens


def _comment_end(text: str, start: int, end: int) -> int:
    """PostgreSQL's block comments nest, which a regular expression cannot follow."""
    if not text.startswith("/*", start):
        return end
    depth = 0
    for mark in re.finditer(r"/\*|\*/", text[start:]):
        depth += 1 if mark[0] == "/*" else -1
        if depth == 0:
            return start + mark.end()
    return len(text)


def _dollar_string(text: str, opening: re.Match[str]) -> tuple[str, int]:
    closing = text.find(opening[0], opening.end())
    return ("string", closing + len(opening[0])) if closing >= 0 else ("operator", opening.start() + 1)


def _operand_may_follow(tokens: Sequence[Token]) -> bool:
    if not tokens:
        return True
    last = tokens[-1]
    if last.kind == "operator":
        return last.text not in ")]"
    return last.word in _BEFORE_OPERAND


def split_statements(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """The tokens of each statement, without the semicolons between them; empty statements are left out."""
    statement: list[Token] = []
    depth = 0
    for token in tokens:
        if token.kind == "operator":
            depth += (token.text == "(") - (token.text == ")")
        if token.text == ";" and token.kind == "operator" and depth <= 0:
            if statement:
                yield statement
            statement, depth = [], 0
        else:
            statement.append(token)
    if statement:
        yield statement
