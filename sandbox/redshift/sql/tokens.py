"""SQL text as tokens that know where they stand, so that one can be changed and all else stays as it was.

Not sqlglot's tokenizer: it merges and upper-cases words and gives up on operators that psql's own catalog
queries use, while a relay has to pass whatever it does not know.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sandbox.redshift.sql.literals import literal_parts


def words(text: str) -> frozenset[str]:
    """The words of a list written as one text."""
    return frozenset(text.split())


# White space, names and numbers are PostgreSQL's (scan.l of version 16): Python's \s, \w and \d know more.
# No repetition here is followed by something that can fail: no text makes the scan go back.
_NAME = r"[A-Za-z_\u0080-\U0010ffff][A-Za-z_0-9$\u0080-\U0010ffff]*"
_DIGITS = r"[0-9]+(?:_[0-9]+)*"
_LEXER = re.compile(
    rf"""[ \t\n\r\f]*(?:
        (?P<unicode>[uU]&['"])
        |(?P<string>'|[eEbBxXnN]')
        |(?P<word>{_NAME})
        |(?P<comment>--[^\n\r]*|/\*)
        |(?P<temporary>\#{_NAME})
        |(?P<quoted>")
        |(?P<number>0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+
            |(?:{_DIGITS}(?:\.(?:{_DIGITS})?)?|\.{_DIGITS})(?:[eE][+-]?{_DIGITS})?)
        |(?P<parameter>\$[0-9]+)
        |(?P<dollar>\$(?:[A-Za-z_\u0080-\U0010ffff][A-Za-z_0-9\u0080-\U0010ffff]*)?\$)
        |(?P<operator>::|:=|\|\||<=|>=|<>|!=|.)
        |(?P<end>\Z))""",
    re.VERBOSE | re.DOTALL,
)
_QUOTED = re.compile(r'[^"]*(?:""[^"]*)*')
_COMMENT_MARK = re.compile(r"/\*|\*/")
_NAME_START = re.compile(r"[A-Za-z_\u0080-\U0010ffff]")
# PostgreSQL 8.0's lexer, of which Redshift's is made, ends a number where a word begins, and Amazon's own
# driver relies on it (redshift_connector, Cursor.get_columns: "THEN 4WHEN"). These words can be no alias.
_AFTER_NUMBER = re.compile(r"(?:when|then|else|end)(?![A-Za-z_0-9$\u0080-\U0010ffff])", re.IGNORECASE)

_UNTERMINATED = {"b": "unterminated bit string literal", "x": "unterminated hexadecimal string literal"}
_SHOWN_CHARACTERS = 40

_LOWER_ASCII = {capital: capital + 32 for capital in range(ord("A"), ord("Z") + 1)}

# After these a "#name" is a temporary table's; elsewhere # is the operator for exclusive or.
_BEFORE_OPERAND = words(
    "all analyse analyze and append as between by copy default delete desc distinct else except exists from"
    " full having if in inner intersect into is join like limit lock minus not on only or outer over"
    " references rename select set table then to truncate union update using vacuum values view when where"
    " with"
)


class UnreadableError(ValueError):
    """A text of which PostgreSQL's lexer would not make tokens, or Redshift's others.

    Args:
        message: What is wrong, in PostgreSQL's words.
        place: The text from there on, where that says more.
    """

    def __init__(self, message: str, place: str = "") -> None:
        shown = f' at or near "{place[:_SHOWN_CHARACTERS]}"' if place else ""
        super().__init__(message + shown)


@dataclass(slots=True)
class Token:
    """A piece of SQL text.

    Args:
        kind: word, quoted, string, number, parameter or operator.
        text: As written.
        start: Its position in the text.
        end: The position behind it.
        spaced: Whether white space or a comment stands before it.
        word: The keyword or unquoted name in lower case; empty for anything else.
        keeps_case: A name in quotes keeps its capitals (enable_case_sensitive_identifier).
    """

    kind: str
    text: str
    start: int
    end: int
    spaced: bool = False
    word: str = ""
    keeps_case: bool = False

    @property
    def name(self) -> str:
        """The identifier it denotes, folded to lower case as Redshift does; empty for anything else."""
        if self.kind == "quoted":
            name = self.text[1:-1].replace('""', '"')
            return name if self.keeps_case else fold_ascii(name)
        return fold_ascii(self.text) if self.kind == "word" else ""

    @property
    def is_name(self) -> bool:
        """Whether it can be an identifier."""
        return self.kind in ("word", "quoted")


def fold_ascii(text: str) -> str:
    """The text with its ASCII capitals in lower case: Redshift folds no others in identifiers."""
    return text.translate(_LOWER_ASCII)


def tokenize(text: str, *, backslash_escapes: bool = True) -> list[Token]:
    """The tokens that PostgreSQL would make of `text`, without white space and comments.

    It takes time in proportion to the text's length, whatever the text.

    Args:
        text: Any SQL.
        backslash_escapes: Whether a backslash escapes in ordinary literals.

    Raises:
        UnreadableError: The text is none that PostgreSQL and Redshift read, and read alike.
    """
    if "\0" in text:
        raise UnreadableError("invalid message format: a statement holds a zero byte")
    tokens: list[Token] = []
    at, spaced = 0, False
    while match := _LEXER.match(text, at):
        kind = match.lastgroup or ""
        start, after = match.span(kind)
        spaced = spaced or start > at
        word = ""
        if kind == "comment":
            at, spaced = _comment_end(text, start, after), True
            continue
        if kind == "end":
            break
        if kind == "word":
            word = _lower(text[start:after])
        elif kind == "temporary":
            if _is_temporary_name(text, after, tokens):
                kind, word = "word", _lower(text[start:after])
            else:
                kind, after = "operator", start + 1
        elif kind in _ENDS:
            after = _ENDS[kind](text, start, after, backslash_escapes)
            kind = _KINDS.get(kind, kind)
        tokens.append(Token(kind, text[start:after], start, after, spaced, word))
        at, spaced = after, False
    return tokens


def _lower(name: str) -> str:
    return name.lower() if name.isascii() else fold_ascii(name)


def _comment_end(text: str, start: int, after: int) -> int:
    """PostgreSQL's block comments nest."""
    if text.startswith("--", start):
        return after
    depth = 0
    for mark in _COMMENT_MARK.finditer(text, start):
        depth += 1 if mark[0] == "/*" else -1
        if depth == 0:
            return mark.end()
    raise UnreadableError("unterminated /* comment", text[start:])


def _string_end(text: str, start: int, _after: int, backslash_escapes: bool) -> int:
    parts = literal_parts(text, start, backslash_escapes=backslash_escapes)
    if parts is None:
        message = _UNTERMINATED.get(text[start].lower(), "unterminated quoted string")
        raise UnreadableError(message, text[start:])
    return parts[-1][1] + 1


def _quoted_end(text: str, start: int, after: int, _: bool) -> int:
    match = _QUOTED.match(text, after)
    end = match.end() if match else len(text)
    if not text.startswith('"', end):
        raise UnreadableError("unterminated quoted identifier", text[start:])
    if end == after:
        raise UnreadableError("zero-length delimited identifier", text[start:])
    return end + 1


def _dollar_end(text: str, start: int, after: int, _: bool) -> int:
    tag = text[start:after]
    closing = text.find(tag, after)
    if closing < 0:
        raise UnreadableError("unterminated dollar-quoted string", text[start:])
    return closing + len(tag)


def _number_end(text: str, start: int, after: int, _: bool) -> int:
    is_parameter = text[start] == "$"
    if _NAME_START.match(text, after) and (is_parameter or not _AFTER_NUMBER.match(text, after)):
        kind = "parameter" if is_parameter else "numeric literal"
        raise UnreadableError(f"trailing junk after {kind}", text[start:])
    return after


def _unicode_end(text: str, start: int, _after: int, _: bool) -> int:
    """PostgreSQL 8.0, of which Redshift is made, has no U&: three tokens there, one in PostgreSQL 16."""
    raise UnreadableError("Redshift has no Unicode escapes (U&)", text[start:])


_ENDS: dict[str, Callable[[str, int, int, bool], int]] = {
    "string": _string_end,
    "quoted": _quoted_end,
    "dollar": _dollar_end,
    "number": _number_end,
    "parameter": _number_end,
    "unicode": _unicode_end,
}
_KINDS = {"dollar": "string"}


def _is_temporary_name(text: str, after: int, tokens: Sequence[Token]) -> bool:
    """Whether # and a word are a name: not where # is an operator and the word begins a literal."""
    return not text.startswith(("'", "&'", '&"'), after) and _operand_may_follow(tokens)


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
    for token in tokens:
        if token.text != ";":
            statement.append(token)
        elif statement:
            yield statement
            statement = []
    if statement:
        yield statement
