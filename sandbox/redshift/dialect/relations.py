"""The tables and views that a statement reads or writes."""

from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.redshift.dialect.draft import Draft
from sandbox.redshift.dialect.names import read_name
from sandbox.redshift.sql.tokens import words

_BEFORE_RELATION = words("from join into update using")
# FROM inside these functions' parentheses introduces no table.
_FUNCTIONS_WITH_FROM = words("extract substring trim overlay position")
_NOT_AN_ALIAS = words(
    "on using where group having order limit offset union intersect except minus join inner left right full"
    " cross natural qualify set values when select for window fetch returning default"
)
_CATALOG_SCHEMAS = words("pg_catalog information_schema pg_internal")
_SYSTEM_PREFIXES = ("stl_", "stv_", "svl_", "svv_", "svcs_", "sys_")


@dataclass(frozen=True)
class Relation:
    """A table or view named in a statement.

    Args:
        schema: Its schema, empty where the statement does not say.
        table: Its name.
        alias: What the statement calls it.
        first: Index of its first token.
    """

    schema: str
    table: str
    alias: str
    first: int

    @property
    def is_catalog(self) -> bool:
        """Whether it is one of PostgreSQL's catalogs, which only Redshift's leader node knows."""
        return self.schema in _CATALOG_SCHEMAS or (not self.schema and self.table.startswith("pg_"))

    @property
    def is_system(self) -> bool:
        """Whether it is one of Redshift's system views."""
        return self.table.startswith(_SYSTEM_PREFIXES)


def relations(draft: Draft) -> list[Relation]:
    """Every table and view that the statement names, except its common table expressions."""
    local = _common_tables(draft)
    return [
        relation
        for index in range(len(draft))
        if _introduces(draft, index)
        for relation in _listed(draft, index + 1)
        if relation.schema or relation.table not in local
    ]


def alias_at(draft: Draft, index: int) -> tuple[str, int]:
    """The alias that begins at `index`, empty without one, and where the next token after it is."""
    if draft.word(index) == "as":
        index += 1
    elif draft.word(index) in _NOT_AN_ALIAS:
        return "", index
    if index < len(draft) and draft.tokens[index].is_name:
        return draft.tokens[index].name, index + 1
    return "", index


def _introduces(draft: Draft, index: int) -> bool:
    if draft.word(index) not in _BEFORE_RELATION or draft.word(index - 1) in ("distinct", "for"):
        return False
    opening = draft.enclosing(index)
    return draft.word(index) != "from" or draft.word(opening - 1) not in _FUNCTIONS_WITH_FROM or opening < 0


def _listed(draft: Draft, index: int) -> Iterator[Relation]:
    """The relations of a comma-separated list; subqueries are read through their own FROM."""
    while index < len(draft):
        if draft.word(index) in ("only", "table", "lateral"):
            index += 1
        elif draft.is_operator(index, "("):
            index = draft.closing(index) + 1
            _, index = alias_at(draft, index)
        elif draft.word(index) in _BEFORE_RELATION:
            return  # begins a list of its own
        elif draft.tokens[index].is_name:
            name = read_name(draft, index)
            after = name.last + 1
            is_function = draft.is_operator(after, "(") and draft.word(index - 1) != "into"
            alias, following = alias_at(draft, draft.closing(after) + 1 if is_function else after)
            if not is_function:
                schema = name.parts[-2] if len(name.parts) > 1 else ""
                yield Relation(schema, name.parts[-1], alias or name.parts[-1], index)
            index = following
        else:
            return
        if draft.is_operator(index, ","):
            index += 1
        elif draft.word(index - 1) not in ("only", "table", "lateral"):
            return


def _common_tables(draft: Draft) -> set[str]:
    """What stands before ``[(columns)] AS (``: a WITH's names, and aliases nobody mistakes for tables."""
    names = set()
    for index in range(1, len(draft)):
        if draft.word(index) == "as" and draft.is_operator(index + 1, "("):
            before = draft.opening(index - 1) - 1 if draft.is_operator(index - 1, ")") else index - 1
            if before >= 0 and draft.tokens[before].is_name:
                names.add(draft.tokens[before].name)
    return names
