"""SHOW DATABASES, SCHEMAS, TABLES, COLUMNS and GRANTS: queries of the catalog's views (24_show.sql).

Their syntax is on their pages of Redshift's guide (r_SHOW_TABLES, …).
"""

from dataclasses import dataclass, field

from sandbox.redshift.dialect.draft import Draft
from sandbox.redshift.dialect.names import Name, dollar_quote, quote, read_name, syntax_error
from sandbox.redshift.dialect.statement import Refusal

# What is listed -> what stands before the name of its place, what LIKE compares, the order.
_LISTS = {
    "databases": ((), "database_name", "database_name"),
    "schemas": (("from", "database"), "schema_name", "schema_name"),
    "tables": (("from", "schema"), "table_name", "table_name"),
    "columns": (("from", "table"), "column_name", "ordinal_position"),
}
_OF_OBJECT = (
    "schema_name, COALESCE(object_name, schema_name) AS object_name, object_type, privilege_type,"
    " identity_id, identity_name, identity_type, admin_option, privilege_scope"
)
_OF_DATABASE = (
    "database_name, privilege_type, identity_id, identity_name, identity_type, admin_option, privilege_scope"
)
_OF_IDENTITY = (
    "database_name, schema_name, object_name, object_type, privilege_type, identity_id, identity_name,"
    " identity_type, privilege_scope"
)
_MOST_ROWS = 10_000


@dataclass
class _Query:
    """What the rest of a SHOW asks for."""

    columns: str
    view: str
    order: str
    conditions: list[str] = field(default_factory=list)
    limit: str = ""

    def where(self, column: str, value: str) -> None:
        self.conditions.append(f"{column} = {dollar_quote(value)}")

    @property
    def sql(self) -> str:
        where = f" WHERE {' AND '.join(self.conditions)}" if self.conditions else ""
        listed = f"SELECT {self.columns} FROM pg_internal.{self.view}"  # noqa: S608 - names from this file
        return f"{listed}{where} ORDER BY {self.order}{self.limit}"


def rewrite(draft: Draft) -> bool:
    """Rewrite one of these SHOWs; tell whether it was one.

    Raises:
        Refusal: It goes on otherwise than its page says.
    """
    kind = draft.word(1)
    if kind == "grants":
        draft.rewrite_all(_grants(draft).sql)
    elif kind in _LISTS and (kind != "databases" or draft.word(2) in ("", "like", "limit", "from")):
        draft.rewrite_all(_list(draft, kind).sql)
    else:
        return False
    return True


def _list(draft: Draft, kind: str) -> _Query:
    before, compared, order = _LISTS[kind]
    query = _Query("*", f"show_{kind}", order)
    at = 2
    if draft.words_at(2, "from", "data", "catalog"):
        raise Refusal(
            "SHOW DATABASES FROM DATA CATALOG is not in the sandbox", hint="There is no Glue catalog."
        )
    if before:
        if not draft.words_at(2, *before):
            raise syntax_error(draft, 2, hint=f"Write SHOW {kind.upper()} {' '.join(before).upper()} ….")
        name = read_name(draft, 4)
        _of(query, kind, name)
        at = name.last + 1
    if draft.word(at) == "like" and at + 1 < len(draft) and draft.tokens[at + 1].kind == "string":
        query.conditions.append(f"{compared} LIKE {draft.text(at + 1)}")
        at += 2
    _limit(draft, at, query)
    return query


def _of(query: _Query, kind: str, name: Name) -> None:
    """What a name of up to three parts narrows a list to."""
    columns = {
        "schemas": ("database_name",),
        "tables": ("database_name", "schema_name"),
        "columns": ("database_name", "schema_name", "table_name"),
    }[kind]
    if len(name.parts) > len(columns):
        raise Refusal(f'improper name: "{".".join(name.parts)}"', "42601")
    for column, part in zip(reversed(columns), reversed(name.parts), strict=False):
        if column == "database_name":
            query.conditions.append(f"pg_internal.is_database({dollar_quote(part)})")
        else:
            query.where(column, part)


def _grants(draft: Draft) -> _Query:
    """``SHOW GRANTS ON object [FOR identity]``, ``SHOW GRANTS FOR identity``."""
    at = 2
    order = "object_type, schema_name, object_name, identity_name, privilege_type"
    query = _Query(_OF_IDENTITY, "show_grants", order)
    if draft.word(at) == "on":
        at = _object(draft, at + 1, query)
    elif draft.word(at) != "for":
        raise syntax_error(draft, at)
    if draft.word(at) == "for":
        at = _identity(draft, at + 1, query)
    _limit(draft, at, query)
    return query


def _object(draft: Draft, at: int, query: _Query) -> int:
    kind = draft.word(at) if draft.word(at) in ("database", "schema", "table", "function") else "table"
    if kind == "function":
        raise Refusal(
            "SHOW GRANTS ON FUNCTION is not in the sandbox", hint="There are no functions of users."
        )
    name = read_name(draft, at + (draft.word(at) == kind))
    query.columns = _OF_DATABASE if kind == "database" else _OF_OBJECT
    query.where("object_type", kind.upper())
    parts = list(name.parts)
    if kind == "table":
        relation = ".".join(quote(part) for part in parts[-2:])
        query.where("object_name", parts.pop())
        # A table without its schema is the one that the search path finds; one that is not there is an error.
        query.conditions.append(f"schema_name = pg_internal.schema_of({dollar_quote(relation)}::regclass)")
        parts = parts[:-1]
    elif kind == "schema":
        query.where("schema_name", parts.pop())
    if parts:
        query.conditions.append(f"pg_internal.is_database({dollar_quote(parts[-1])})")
    return name.last + 1


def _identity(draft: Draft, at: int, query: _Query) -> int:
    if draft.word(at) == "public":
        query.where("identity_type", "public")
        return at + 1
    is_role = draft.word(at) == "role"
    name = read_name(draft, at + is_role)
    query.where("identity_type", "role" if is_role else "user")
    query.where("identity_name", name.parts[-1])
    return name.last + 1


def _limit(draft: Draft, at: int, query: _Query) -> None:
    """``LIMIT n``, the end; "The row_limit can be 0-10,000"."""
    if draft.word(at) == "limit":
        text = draft.text(at + 1)
        if not text.isdecimal() or int(text) > _MOST_ROWS:
            raise syntax_error(draft, at + 1, hint=f"The limit can be 0 to {_MOST_ROWS}.")
        query.limit = f" LIMIT {text}"
        at += 2
    if at < len(draft):
        raise syntax_error(draft, at)
