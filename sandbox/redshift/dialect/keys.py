"""Primary, unique and foreign keys: declared, visible, and enforced by nothing."""

from dataclasses import dataclass

from sandbox.redshift.dialect.draft import Draft
from sandbox.redshift.dialect.names import Name, read_name, syntax_error


@dataclass
class Key:
    """A declared primary, unique or foreign key, which nothing enforces."""

    kind: str
    columns: tuple[str, ...]
    references: str | None = None
    referenced_columns: tuple[str, ...] = ()
    name: str | None = None

    def as_json(self) -> dict[str, object]:
        """The key as the catalog keeps it."""
        return {
            "kind": self.kind,
            "columns": list(self.columns),
            "references": self.references,
            "referenced_columns": list(self.referenced_columns),
            "name": self.name,
        }


def read_columns(draft: Draft, opening: int, *, numbers: bool = False) -> tuple[str, ...]:
    """The names in a parenthesised list; with `numbers`, the places of columns, too."""
    if not draft.is_operator(opening, "("):
        raise syntax_error(draft, opening)
    return tuple(_read_column(draft, span.first, numbers) for span in draft.arguments(opening))


def _read_column(draft: Draft, index: int, numbers: bool) -> str:
    token = draft.tokens[index]
    return token.text if numbers and token.kind == "number" else read_name(draft, index).parts[-1]


def read_references(draft: Draft, index: int) -> tuple[Name, tuple[str, ...], int]:
    """Table, columns and last token of what follows REFERENCES."""
    table = read_name(draft, index)
    if not draft.is_operator(table.last + 1, "("):
        return table, (), table.last
    return table, read_columns(draft, table.last + 1), draft.closing(table.last + 1)


def read_table_constraint(draft: Draft, index: int) -> Key:
    """The key that a table constraint declares.

    Raises:
        Refusal: It is another kind of constraint.
    """
    name = None
    if draft.word(index) == "constraint":
        named = read_name(draft, index + 1)
        name, index = named.parts[-1], named.last + 1
    if draft.words_at(index, "primary", "key"):
        return Key("PRIMARY KEY", read_columns(draft, index + 2), name=name)
    if draft.word(index) == "unique":
        return Key("UNIQUE", read_columns(draft, index + 1), name=name)
    if draft.words_at(index, "foreign", "key"):
        columns = read_columns(draft, index + 2)
        references = draft.closing(index + 2) + 1
        if draft.word(references) != "references":
            raise syntax_error(draft, references)
        parent, parent_columns, _ = read_references(draft, references + 1)
        return Key("FOREIGN KEY", columns, parent.sql, parent_columns, name)
    raise syntax_error(draft, index)
