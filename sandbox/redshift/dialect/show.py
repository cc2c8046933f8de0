"""SHOW DATABASES, SCHEMAS, TABLES, COLUMNS, CONSTRAINTS, …: queries of the catalog's views (24_show.sql).

Their syntax is on their pages of Redshift's guide (r_SHOW_TABLES, …). A name's part may be a parameter: so
redshift_connector's metadataServerProxy sends them.
"""

from dataclasses import dataclass, field

from sandbox.redshift.dialect.draft import Draft
from sandbox.redshift.dialect.names import dollar_quote, syntax_error
from sandbox.redshift.dialect.statement import Refusal

# What is listed -> what stands before the name of its place, what LIKE compares ("" without one), the order.
_LISTS = {
    "databases": ((), "database_name", "database_name"),
    "schemas": (("from", "database"), "schema_name", "schema_name"),
    "tables": (("from", "schema"), "table_name", "table_name"),
    "columns": (("from", "table"), "column_name", "ordinal_position"),
    "functions": (("from", "schema"), "function_name", "function_name"),
    "procedures": (("from", "schema"), "procedure_name", "procedure_name"),
    "primary keys": (("from", "table"), "", "key_seq"),
    "foreign keys": (("from", "table"), "", "fk_name, key_seq"),
    "exported keys": (("from", "table"), "", "fk_schema_name, fk_table_name, fk_name, key_seq"),
}
_DATABASE, _SCHEMA, _TABLE = "database_name", "schema_name", "table_name"
_FK, _PK = (tuple(f"{end}_{name}" for name in (_DATABASE, _SCHEMA, _TABLE)) for end in ("fk", "pk"))
# What the parts of that name narrow the list to.
_PLACES = {
    "schemas": (_DATABASE,),
    "tables": (_DATABASE, _SCHEMA),
    "columns": (_DATABASE, _SCHEMA, _TABLE),
    "functions": (_DATABASE, _SCHEMA),
    "procedures": (_DATABASE, _SCHEMA),
    "primary keys": (_DATABASE, _SCHEMA, _TABLE),
    "foreign keys": _FK,
    "exported keys": _PK,
}
# SHOW CONSTRAINTS …: its words -> the list.
_CONSTRAINTS = {
    ("primary", "keys"): "primary keys",
    ("foreign", "keys", "exported"): "exported keys",
    ("foreign", "keys"): "foreign keys",
}
# Its first and last column by redshift_connector's code, and the page of SHOW COLUMN GRANTS.
_OF_OBJECT = (
    "database_name, schema_name, COALESCE(object_name, schema_name) AS object_name, object_type,"
    " privilege_type, identity_id, identity_name, identity_type, admin_option, privilege_scope, grantor_name"
)
_OF_DATABASE = (
    "database_name, privilege_type, identity_id, identity_name, identity_type, admin_option, privilege_scope"
)
_OF_IDENTITY = (
    "database_name, schema_name, object_name, object_type, privilege_type, identity_id, identity_name,"
    " identity_type, privilege_scope"
)
_OF_COLUMN = (
    "database_name, schema_name, table_name, column_name, object_type, privilege_type, identity_id,"
    " identity_name, identity_type, admin_option, privilege_scope, grantor_name"
)
_MOST_ROWS = 10_000


@dataclass(frozen=True)
class _Place:
    """A name of up to three parts, each as an expression, and where it ends."""

    parts: tuple[str, ...]
    last: int


def _read_place(draft: Draft, index: int) -> _Place:
    """The name that begins at `index`.

    Raises:
        Refusal: There is none (42601).
    """
    parts = [_part(draft, index)]
    while draft.is_operator(index + 1, "."):
        index += 2
        parts.append(_part(draft, index))
    return _Place(tuple(parts), index)


def _part(draft: Draft, index: int) -> str:
    token = draft.tokens[index] if index < len(draft) else None
    if token and token.kind == "parameter":
        return f"{token.text}::text"
    if token and token.is_name:
        return dollar_quote(token.name)
    raise syntax_error(draft, index)


@dataclass
class _Query:
    """What the rest of a SHOW asks for."""

    columns: str
    view: str
    order: str
    conditions: list[str] = field(default_factory=list)
    limit: str = ""

    def where(self, column: str, value: str) -> None:
        self.conditions.append(f"{column} = {value}")

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
    elif draft.words_at(1, "column", "grants"):
        draft.rewrite_all(_column_grants(draft).sql)
    elif kind == "constraints":
        draft.rewrite_all(_constraints(draft).sql)
    elif kind in _LISTS and (kind != "databases" or draft.word(2) in ("", "like", "limit", "from")):
        draft.rewrite_all(_list(draft, kind, 2).sql)
    else:
        return False
    return True


def _constraints(draft: Draft) -> _Query:
    """``SHOW CONSTRAINTS {PRIMARY KEYS | FOREIGN KEYS [EXPORTED]} FROM TABLE name``."""
    for given, kind in _CONSTRAINTS.items():
        if draft.words_at(2, *given):
            return _list(draft, kind, 2 + len(given))
    raise syntax_error(draft, 2, hint="Write SHOW CONSTRAINTS PRIMARY KEYS or FOREIGN KEYS [EXPORTED].")


def _list(draft: Draft, kind: str, at: int) -> _Query:
    before, compared, order = _LISTS[kind]
    query = _Query("*", f"show_{kind.replace(' ', '_')}", order)
    if draft.words_at(at, "from", "data", "catalog"):
        raise Refusal(
            "SHOW DATABASES FROM DATA CATALOG is not in the sandbox", hint="There is no Glue catalog."
        )
    if before:
        if not draft.words_at(at, *before):
            raise syntax_error(draft, at, hint=f"Write {' '.join(before).upper()} and a name.")
        place = _read_place(draft, at + 2)
        if not compared and len(place.parts) == 1:  # SHOW CONSTRAINTS asks for a schema
            raise syntax_error(draft, place.last + 1)
        _of(query, kind, place)
        at = place.last + 1
    has_pattern = at + 1 < len(draft) and draft.tokens[at + 1].kind in ("string", "parameter")
    if compared and draft.word(at) == "like" and has_pattern:
        query.conditions.append(f"{compared} LIKE {draft.text(at + 1)}")
        at += 2
    _limit(draft, at, query)
    return query


def _of(query: _Query, kind: str, place: _Place) -> None:
    """What a name of up to three parts narrows a list to."""
    columns = _PLACES[kind]
    if len(place.parts) > len(columns):
        raise Refusal(f"improper name: too many parts in SHOW {kind.upper()}", "42601")
    for column, part in zip(reversed(columns), reversed(place.parts), strict=False):
        if column == columns[0]:
            query.conditions.append(f"pg_internal.is_database({part})")
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


def _column_grants(draft: Draft) -> _Query:
    """``SHOW COLUMN GRANTS ON TABLE name [FOR identity]``."""
    if not draft.words_at(3, "on", "table"):
        raise syntax_error(draft, 3, hint="Write ON TABLE and a name.")
    query = _Query(_OF_COLUMN, "show_column_grants", "column_name, privilege_type, identity_name")
    place = _read_place(draft, 5)
    if len(place.parts) == 1:
        raise syntax_error(draft, place.last + 1)
    _of(query, "columns", place)
    at = place.last + 1
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
    place = _read_place(draft, at + (draft.word(at) == kind))
    query.columns = _OF_DATABASE if kind == "database" else _OF_OBJECT
    query.where("object_type", dollar_quote(kind.upper()))
    parts = list(place.parts)
    if kind == "table":
        # A table without its schema is the one that the search path finds; one that is not there is an error.
        pattern = ".".join("%I" for _ in parts[-2:])
        relation = f"format({dollar_quote(pattern)}, {', '.join(parts[-2:])})"
        query.where("object_name", parts.pop())
        query.conditions.append(f"schema_name = pg_internal.schema_of({relation}::regclass)")
        parts = parts[:-1]
    elif kind == "schema":
        query.where("schema_name", parts.pop())
    if parts:
        query.conditions.append(f"pg_internal.is_database({parts[-1]})")
    return place.last + 1


def _identity(draft: Draft, at: int, query: _Query) -> int:
    if draft.word(at) == "public":
        query.where("identity_type", "'public'")
        return at + 1
    is_role = draft.word(at) == "role"
    place = _read_place(draft, at + is_role)
    query.where("identity_type", "'role'" if is_role else "'user'")
    query.where("identity_name", place.parts[-1])
    return place.last + 1


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
