"""The words of a COPY statement."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sandbox.redshift.copy.errors import SYNTAX_ERROR, CopyError

_TOKEN = re.compile(
    r"""
      (?P<space>\s+|--[^\n]*|/\*.*?\*/)
    | (?P<string>'(?:[^']|'')*')
    | (?P<quoted>"(?:[^"]|"")+")
    | (?P<number>\d+)
    | (?P<word>[^\W\d][\w$]*|\#\w+)
    | (?P<symbol>.)
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Token:
    """One word; `text` is unquoted, `kind` is string, quoted, number, word or symbol."""

    kind: str
    text: str

    @property
    def keyword(self) -> str:
        """The word in capitals, or '' for anything that is not a bare word."""
        return self.text.upper() if self.kind == "word" else ""


def tokenize(sql: str) -> list[Token]:
    """Split SQL into tokens without white space and comments.

    Raises:
        CopyError: A quote is never closed (42601).
    """
    return [_token(match) for match in _TOKEN.finditer(sql) if match.lastgroup != "space"]


def _token(match: re.Match[str]) -> Token:
    kind, text = match.lastgroup or "symbol", match.group()
    if kind in {"string", "quoted"}:
        return Token(kind, text[1:-1].replace(text[0] * 2, text[0]))
    if text in {"'", '"'}:
        raise CopyError(
            SYNTAX_ERROR, f"unterminated quoted text at or near {match.string[match.start() :][:40]!r}"
        )
    return Token(kind, text)


class TokenStream:
    """Tokens read from left to right."""

    def __init__(self, tokens: Iterable[Token]) -> None:
        self._tokens = list(tokens)
        self._next = 0

    @property
    def exhausted(self) -> bool:
        """Nothing is left."""
        return self._next >= len(self._tokens)

    def peek(self) -> Token:
        """The next token, or an empty symbol at the end."""
        return Token("symbol", "") if self.exhausted else self._tokens[self._next]

    def take(self) -> Token:
        """The next token, consumed."""
        token = self.peek()
        self._next += 1
        return token

    def accept(self, *texts: str) -> str | None:
        """Consume the next token if it is one of these keywords or symbols (in capitals) and return it."""
        token = self.peek()
        text = token.keyword or (token.text if token.kind == "symbol" else "")
        if text and text in texts:
            self._next += 1
            return text
        return None

    def expect(self, text: str) -> None:
        """Consume this keyword or symbol.

        Raises:
            CopyError: Something else stands here (42601).
        """
        if not self.accept(text):
            raise self.error(f"{text} expected")

    def identifier(self) -> str:
        """Consume a name; ASCII letters fold to lower case even inside quotes, as in Redshift.

        Raises:
            CopyError: Something else stands here (42601).
        """
        token = self.peek()
        if token.kind not in {"word", "quoted"}:
            raise self.error("a name is expected")
        self._next += 1
        return re.sub("[A-Z]", lambda letter: letter.group().lower(), token.text)

    def string(self, option: str) -> str:
        """Consume a quoted text, the argument of `option`.

        Raises:
            CopyError: Something else stands here (42601).
        """
        if self.peek().kind != "string":
            raise self.error(f"{option} takes a quoted text")
        return self.take().text

    def number(self, option: str, low: int, high: int) -> int:
        """Consume a whole number between `low` and `high`, the argument of `option`.

        Raises:
            CopyError: No number stands here (42601), or it is out of range (22023).
        """
        if self.peek().kind != "number":
            raise self.error(f"{option} takes a whole number")
        number = int(self.take().text)
        if not low <= number <= high:
            raise CopyError("22023", f"{option} is {number}; it must be between {low} and {high}")
        return number

    def error(self, hint: str) -> CopyError:
        """A syntax error at the next token."""
        where = f'at or near "{self.peek().text}"' if not self.exhausted else "at end of input"
        return CopyError(SYNTAX_ERROR, f"syntax error {where}", hint=f"In COPY: {hint}.")
