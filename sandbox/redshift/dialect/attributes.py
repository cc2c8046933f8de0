"""What a table declares beyond PostgreSQL: distribution, sort key, encodings, keys."""

import json
from dataclasses import dataclass, field

from sandbox.redshift.dialect.columns import Column
from sandbox.redshift.dialect.draft import Draft
from sandbox.redshift.dialect.keys import Key, read_columns
from sandbox.redshift.dialect.names import Name, dollar_quote, syntax_error
from sandbox.redshift.dialect.statement import Refusal

_DISTSTYLES = frozenset(("auto", "even", "key", "all"))


@dataclass
class TableAttributes:
    """The declarations of one statement; None means that it does not say.

    Of a CREATE TABLE AS keys may be the numbers of columns (`takes_numbers`).
    """

    takes_numbers: bool = False
    diststyle: str | None = None
    distkey: str | None = None
    sortkeys: tuple[str, ...] | None = None
    sort_style: str = "compound"
    encodings: dict[str, str] = field(default_factory=dict)
    keys: list[Key] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(
            self.diststyle or self.distkey or self.sortkeys is not None or self.encodings or self.keys
        )

    def add_column(self, column: Column) -> None:
        """Take over what a column's definition declares.

        Raises:
            Refusal: The table has two distribution keys.
        """
        if column.encoding:
            self.encodings[column.name] = column.encoding
        if column.is_distkey:
            self.set_distkey(column.name)
        if column.is_sortkey:
            self.sortkeys = (*(self.sortkeys or ()), column.name)
        self.keys += column.keys

    def set_distkey(self, column: str) -> None:
        """Declare the distribution key.

        Raises:
            Refusal: There is one already.
        """
        if self.distkey is not None:
            raise Refusal("multiple DISTKEY columns specified", "42601")
        self.distkey = column

    def check(self) -> None:
        """Compare the declarations with each other.

        Raises:
            Refusal: They contradict each other.
        """
        if self.distkey and self.diststyle in ("even", "all"):
            raise Refusal(f"DISTKEY cannot be specified with DISTSTYLE {self.diststyle.upper()}", "42601")
        if self.diststyle == "key" and not self.distkey:
            raise Refusal("DISTSTYLE KEY requires a DISTKEY column", "42601")

    def declaration(self, table: Name, function: str = "declare_table") -> str:
        """The statement that writes them into the catalog and makes the sort key's index.

        Args:
            table: The table.
            function: The catalog's function, ``declare_new_table`` where the table may have existed before.
        """
        content = {
            "diststyle": self.diststyle or ("key" if self.distkey else None),
            "distkey": self.distkey,
            "sortkeys": None if self.sortkeys is None else list(self.sortkeys),
            "sort_style": self.sort_style,
            "encodings": self.encodings,
            "keys": [key.as_json() for key in self.keys],
        }
        return call(function, table, json.dumps(content))


def call(function: str, table: Name, *arguments: str) -> str:
    """A call of one of the endpoint's own functions for a table."""
    values = [f"{dollar_quote(table.sql)}::pg_catalog.regclass", *map(dollar_quote, arguments)]
    return f"SELECT pg_internal.{function}({', '.join(values)})"


def take_table_attributes(draft: Draft, index: int, attributes: TableAttributes) -> int:
    """Read and remove the attributes behind a table's columns; returns where they end.

    Raises:
        Refusal: Something else stands there.
    """
    start = index
    while index < len(draft) and draft.word(index) != "as" and not draft.is_operator(index, ")"):
        index = _take(draft, index, attributes) + 1
    if index > start:
        draft.remove(start, index - 1)
    attributes.check()
    return index


def take_sortkey(draft: Draft, index: int, attributes: TableAttributes) -> int | None:
    """Read ``[COMPOUND | INTERLEAVED] SORTKEY (…)``, ``SORTKEY AUTO | NONE``; None when it is not there."""
    at = index + 1 if draft.word(index) in ("compound", "interleaved") else index
    if draft.word(at) != "sortkey":
        return None
    if at == index and draft.word(at + 1) in ("auto", "none"):
        attributes.sortkeys = ()
        return at + 1
    attributes.sort_style = draft.word(index) if at > index else "compound"
    attributes.sortkeys = read_columns(draft, at + 1, numbers=attributes.takes_numbers)
    return draft.closing(at + 1)


def take_distkey(draft: Draft, index: int, attributes: TableAttributes) -> int:
    """Read ``(column)`` behind DISTKEY; returns its last token."""
    columns = read_columns(draft, index, numbers=attributes.takes_numbers)
    if len(columns) != 1:
        raise syntax_error(draft, index)
    attributes.set_distkey(columns[0])
    return draft.closing(index)


def take_diststyle(draft: Draft, index: int, attributes: TableAttributes) -> int:
    """Read the style behind DISTSTYLE; returns its token."""
    if draft.word(index) not in _DISTSTYLES:
        raise syntax_error(draft, index)
    attributes.diststyle = draft.word(index)
    return index


def _take(draft: Draft, index: int, attributes: TableAttributes) -> int:
    word, following = draft.word(index), draft.word(index + 1)
    if word == "backup" and following in ("yes", "no"):
        return index + 1
    if word == "encode" and following == "auto":
        return index + 1
    if word == "diststyle":
        return take_diststyle(draft, index + 1, attributes)
    if word == "distkey":
        return take_distkey(draft, index + 1, attributes)
    last = take_sortkey(draft, index, attributes)
    if last is None:
        raise syntax_error(draft, index)
    return last
