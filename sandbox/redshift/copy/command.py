"""A COPY … FROM 's3://…' statement as a value."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from sandbox.redshift.copy.credentials import Authorization
from sandbox.redshift.copy.errors import FEATURE_NOT_SUPPORTED, SYNTAX_ERROR, CopyError
from sandbox.redshift.copy.options import Options, parse_options
from sandbox.redshift.copy.tokens import TokenStream
from sandbox.redshift.sql.tokens import Token, UnreadableError, split_statements, tokenize

__all__ = ["CopyCommand", "CopyError", "parse_copy", "read_copy"]


@dataclass(frozen=True)
class CopyCommand:
    """What one COPY statement asks for.

    Args:
        schema: Schema as written, folded to lower case, or None.
        table: Target table.
        columns: The column list, or None when the statement has none.
        source: ``s3://bucket/prefix`` or, with MANIFEST, the manifest's address.
        authorization: How S3 is to be read.
        options: Every other parameter.
    """

    schema: str | None
    table: str
    columns: tuple[str, ...] | None
    source: str
    authorization: Authorization
    options: Options

    @property
    def target(self) -> str:
        """The table's name, quoted."""
        return ".".join(quote(name) for name in (self.schema, self.table) if name is not None)

    def backend_sql(self, columns: Sequence[str] | None = None) -> str:
        """PostgreSQL's statement that takes the converted rows.

        Args:
            columns: The target's columns; needed when the statement has no column list.
        """
        names = self.columns if self.columns is not None else columns
        if names is None:
            raise ValueError("COPY without a column list needs the table's columns")
        return f"COPY {self.target} ({', '.join(map(quote, names))}) FROM STDIN"


def parse_copy(sql: str) -> CopyCommand | None:
    """The command in `sql`, or None when `sql` is not a COPY from a quoted source.

    Raises:
        CopyError: It is one, but with a syntax error, an unknown, repeated or contradictory option, or
            something the sandbox does not support.
    """
    try:
        statements = list(split_statements(tokenize(sql)))
    except UnreadableError as error:
        raise CopyError(SYNTAX_ERROR, str(error)) from error
    if len(statements) > 1:
        found = statements[1][0].text
        raise CopyError(
            SYNTAX_ERROR,
            f'syntax error at or near "{found}"',
            hint="In COPY: nothing may follow the semicolon.",
        )
    return read_copy(statements[0]) if statements else None


def read_copy(tokens: Sequence[Token], *, backslash_escapes: bool = True) -> CopyCommand | None:
    """The command in a statement's tokens, or None when it is not a COPY from a quoted source.

    Args:
        tokens: The statement's, without a semicolon.
        backslash_escapes: Whether a backslash escapes in ordinary literals.

    Raises:
        CopyError: It is one, but with a syntax error, an unknown, repeated or contradictory option, or
            something the sandbox does not support.
    """
    if tokens[0].word != "copy" or not _has_quoted_source(tokens):
        return None
    stream = TokenStream(tokens, backslash_escapes=backslash_escapes)
    stream.expect("COPY")
    schema, table = _target(stream)
    columns = _columns(stream)
    stream.expect("FROM")
    source = _source(stream)
    authorization, options = parse_options(stream)
    return CopyCommand(schema, table, columns, source, authorization, options)


def quote(name: str) -> str:
    """`name` as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _has_quoted_source(tokens: Sequence[Token]) -> bool:
    return any(word.word == "from" and source.kind == "string" for word, source in pairwise(tokens))


def _target(stream: TokenStream) -> tuple[str | None, str]:
    name = stream.identifier()
    return (name, stream.identifier()) if stream.accept(".") else (None, name)


def _columns(stream: TokenStream) -> tuple[str, ...] | None:
    return stream.identifiers() if stream.accept("(") else None


def _source(stream: TokenStream) -> str:
    source = stream.string("FROM")
    if re.fullmatch(r"s3://[^/]+/.*", source, re.DOTALL) is None:
        raise CopyError(
            FEATURE_NOT_SUPPORTED,
            f"COPY from '{source}' is not supported by the sandbox",
            hint="Give the data's address as 's3://bucket/prefix'.",
        )
    return source
