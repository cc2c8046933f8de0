"""The words of a COPY or an UNLOAD."""

import re
from collections.abc import Sequence

from sandbox.redshift.copy.errors import SYNTAX_ERROR, CopyError
from sandbox.redshift.sql.literals import literal_value
from sandbox.redshift.sql.tokens import Token

_END = Token("operator", "", 0, 0)
_MOST_DIGITS = 18
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class TokenStream:
    """Tokens read from left to right.

    Args:
        tokens: The statement's.
        backslash_escapes: Whether a backslash escapes in ordinary literals.
    """

    def __init__(self, tokens: Sequence[Token], *, backslash_escapes: bool) -> None:
        self._tokens = tokens
        self._next = 0
        self._backslash_escapes = backslash_escapes

    @property
    def exhausted(self) -> bool:
        """Nothing is left."""
        return self._next >= len(self._tokens)

    def peek(self) -> Token:
        """The next token, or an empty one at the end."""
        return _END if self.exhausted else self._tokens[self._next]

    @property
    def keyword(self) -> str:
        """The next word in capitals, or '' where no bare word stands."""
        return self.peek().word.upper()

    def take(self) -> Token:
        """The next token, consumed."""
        token = self.peek()
        self._next += 1
        return token

    def accept(self, *texts: str) -> str | None:
        """Consume the next token if it is one of these keywords or symbols (in capitals) and return it."""
        token = self.peek()
        text = self.keyword or (token.text if token.kind == "operator" else "")
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
        if not self.peek().is_name:
            raise self.error("a name is expected")
        return self.take().name

    def identifiers(self) -> tuple[str, ...]:
        """Consume names with commas between them up to a closing parenthesis; the opening one has been taken.

        Raises:
            CopyError: Something else stands here (42601).
        """
        names = [self.identifier()]
        while self.accept(","):
            names.append(self.identifier())
        self.expect(")")
        return tuple(names)

    def string(self, option: str) -> str:
        """Consume a quoted text, the argument of `option`.

        Raises:
            CopyError: Something else stands here (42601).
        """
        value = self.optional_string()
        if value is None:
            raise self.error(f"{option} takes a quoted text")
        return value

    def optional_string(self) -> str | None:
        """Consume a quoted text, where one stands.

        Raises:
            CopyError: Its escapes stand for bytes that are no text (22021).
        """
        token = self.peek()
        if token.kind != "string":
            return None
        value = literal_value(token.text, backslash_escapes=self._backslash_escapes)
        if value is not None:
            self._next += 1
            _check_text(value)
        return value

    def special(self, option: str) -> str:
        """Consume a quoted text that may hold a backslash before N, and NUL, such as the argument of NULL AS.

        Raises:
            CopyError: Something else stands here (42601).
        """
        token = self.peek()
        escapes = self._backslash_escapes or token.text[:1] in {"e", "E"}
        # To PostgreSQL a backslash and N are the letter; the guide's null string '\N' keeps both.
        text = _ESCAPED.sub(_keep_null, token.text) if escapes else token.text
        value = (
            literal_value(text, backslash_escapes=self._backslash_escapes) if token.kind == "string" else None
        )
        if value is None:
            raise self.error(f"{option} takes a quoted text")
        self._next += 1
        _check_text(value.replace("\0", ""))
        return value

    def number(self, option: str, low: int, high: int) -> int:
        """Consume a whole number between `low` and `high`, the argument of `option`.

        Raises:
            CopyError: No number stands here (42601), or it is out of range (22023).
        """
        if not self.peek().text.isdecimal():
            raise self.error(f"{option} takes a whole number")
        digits = self.take().text
        if len(digits) > _MOST_DIGITS or not low <= int(digits) <= high:
            shown = digits[:_MOST_DIGITS]
            raise CopyError("22023", f"{option} is {shown}; it must be between {low} and {high}")
        return int(digits)

    def error(self, hint: str) -> CopyError:
        """A syntax error at the next token."""
        found = self.peek().text.strip("'")
        where = "at end of input" if self.exhausted else f'at or near "{found}"'
        return CopyError(
            SYNTAX_ERROR, f"syntax error {where}", hint=f"In {self._tokens[0].word.upper()}: {hint}."
        )


def _keep_null(escape: re.Match[str]) -> str:
    return r"\\N" if escape[1] == "N" else escape[0]


def _check_text(value: str) -> None:
    invalid = re.search("[\0\ud800-\udfff]", value)  # a lone surrogate is a byte that was not UTF-8
    if invalid:
        byte = ord(invalid.group()) & 0xFF
        raise CopyError("22021", f'invalid byte sequence for encoding "UTF8": 0x{byte:02x}')
