"""CREATE, ALTER, DROP and TRUNCATE in Redshift's grammar."""

from collections.abc import Callable, Sequence

from sandbox.redshift.dialect import alter, expressions, materialized, queries, roles, schemas, users
from sandbox.redshift.dialect.attributes import TableAttributes, call, take_table_attributes
from sandbox.redshift.dialect.columns import rewrite_column
from sandbox.redshift.dialect.draft import Draft, Span
from sandbox.redshift.dialect.keys import Key, read_table_constraint
from sandbox.redshift.dialect.names import Name, dollar_quote, read_name, syntax_error
from sandbox.redshift.dialect.refusal_table import LIKE_WITH_ATTRIBUTES
from sandbox.redshift.dialect.relations import relations
from sandbox.redshift.dialect.statement import Refusal
from sandbox.redshift.sql.tokens import words

_TABLE_CONSTRAINTS = words("primary unique foreign constraint check exclude")
_PASSED_OBJECTS = frozenset(("schema", "user", "group", "role", "database"))
# "The maximum number of columns you can define in a single table is 1,600" (CREATE TABLE), and constraints
_MOST_ITEMS = 2 * 1600
_WITHOUT_COLUMNS = {
    "group": roles.rewrite_group,
    "role": roles.rewrite_role,
    "schema": schemas.check_schema,
    "user": users.rewrite_user,
}


def _create(draft: Draft, _in_transaction: bool) -> Sequence[str]:
    at = 3 if draft.words_at(1, "or", "replace") else 1
    kind = draft.word(at)
    if kind in ("local", "temp", "temporary", "table"):
        return _create_table(draft, at)
    if kind == "view":
        return _create_view(draft, at)
    if kind == "materialized":
        return materialized.create(draft)
    if kind in _PASSED_OBJECTS:
        return _WITHOUT_COLUMNS[kind](draft) if kind in _WITHOUT_COLUMNS else ()
    raise _unsupported(draft)


def _create_table(draft: Draft, at: int) -> Sequence[str]:
    start = at
    while draft.word(at) in ("local", "temp", "temporary"):
        at += 1
    if draft.word(at) != "table":
        raise syntax_error(draft, at)
    keyword = at
    perhaps_known = draft.words_at(at + 1, "if", "not", "exists")
    at += 4 if perhaps_known else 1
    table = read_name(draft, at)
    temporary = keyword > start
    if table.is_temporary and not temporary:
        draft.before(keyword, "TEMP ")
        temporary = True
    after: list[str] = []
    made = _rewrite_query(draft, table)
    attributes = TableAttributes(takes_numbers=bool(made))
    at = table.last + 1
    if draft.is_operator(at, "("):
        after = _table_body(draft, at, table, attributes)
        if any(draft.word(item.first) == "like" for item in draft.arguments(at)):
            LIKE_WITH_ATTRIBUTES.check(draft, draft.closing(at))
        at = draft.closing(at) + 1
    take_table_attributes(draft, at, attributes)
    if temporary:
        return made
    after += made
    function = "declare_new_table" if perhaps_known else "declare_table"
    return [*after, attributes.declaration(table, function)] if attributes else after


def _rewrite_query(draft: Draft, table: Name) -> list[str]:
    """Rewrite the query of a CREATE TABLE AS, or else what stands behind DEFAULT; returns what follows."""
    after_name = range(table.last + 1, len(draft))
    if any(draft.word(index) == "as" and draft.enclosing(index) < 0 for index in after_name):
        queries.rewrite(draft)
        return [call("count_bytes", table)]
    expressions.rewrite(draft)
    return []


def _table_body(draft: Draft, opening: int, table: Name, attributes: TableAttributes) -> list[str]:
    """Column definitions, LIKE, constraints; or the column names of a CREATE TABLE AS."""
    items = _items(draft, opening)
    if all(item.first == item.last for item in items):
        return []
    after: list[str] = []
    columns = {}
    constraints: list[tuple[Span, Key]] = []
    for item in items:
        if draft.word(item.first) == "like":
            after.append(_like(draft, item, table))
        elif draft.word(item.first) in _TABLE_CONSTRAINTS:
            constraints.append((item, read_table_constraint(draft, item.first)))
        else:
            column = rewrite_column(draft, item)
            columns[column.name] = column
            attributes.add_column(column)
    for item, key in constraints:
        _remove_item(draft, opening, item)
        attributes.keys.append(key)
    for key in attributes.keys:
        if key.kind == "PRIMARY KEY":
            for name in key.columns:
                if name in columns and not columns[name].not_null:
                    columns[name].not_null = True
                    draft.after(columns[name].span.last, " NOT NULL")
    return after


def _items(draft: Draft, opening: int) -> list[Span]:
    items = draft.arguments(opening)
    if len(items) > _MOST_ITEMS:
        raise Refusal("tables can have at most 1600 columns", "54011")
    return items


def _like(draft: Draft, item: Span, table: Name) -> str:
    parent = read_name(draft, item.first + 1)
    # PostgreSQL copies NOT NULL by itself; the only constraints there are count bytes.
    options = " INCLUDING CONSTRAINTS"
    if draft.words_at(parent.last + 1, "including", "defaults"):
        options += " INCLUDING DEFAULTS"
    elif parent.last < item.last and not draft.words_at(parent.last + 1, "excluding", "defaults"):
        raise syntax_error(draft, parent.last + 1)
    if parent.last < item.last:
        draft.remove(parent.last + 1, item.last)
    draft.after(parent.last, options)
    return call("inherit_table", table, parent.sql)


def _remove_item(draft: Draft, opening: int, item: Span) -> None:
    """Take an item out of a list, with the comma before it (or behind it, where it is the first)."""
    first = item.first if item.first == opening + 1 else item.first - 1
    last = item.last + 1 if first == item.first and draft.is_operator(item.last + 1, ",") else item.last
    draft.remove(first, last)


def _create_view(draft: Draft, at: int) -> Sequence[str]:
    end = len(draft) - 1
    view = read_name(draft, at + 1)
    binds_late = draft.words_at(end - 3, "with", "no", "schema", "binding")
    if binds_late:
        draft.remove(end - 3, end)
        _check_late_binding(draft)
    queries.rewrite(draft)
    if not binds_late:
        return (f"SELECT pg_internal.declare_view({dollar_quote(view.sql)}::pg_catalog.regclass, NULL)",)
    # Only the catalog can see whether the tables are there. The client is to hear that a view was made.
    definition = draft.render(Span(view.last + 1, end))
    schemas = ", ".join(sorted({dollar_quote(relation.schema) for relation in relations(draft)}))
    given = f"{dollar_quote(view.sql)}, {dollar_quote(definition)}, {at > 1}, ARRAY[{schemas}]::text[]"
    draft.rewrite_all("CREATE VIEW pg_temp.made_late AS SELECT 1 AS made")
    return (f"SELECT pg_internal.make_late_view({given})",)


def _check_late_binding(draft: Draft) -> None:
    """Refuse what a late-binding view may not be of.

    "tables and views referenced in the SELECT statement must be qualified with a schema name", "Recursive
    common table expressions (rCTE) are not supported with late-binding views" (CREATE VIEW). The first one's
    words are from github.com/elementary-data/dbt-data-reliability/pull/371, the second one's are not known.

    Raises:
        Refusal: It is of that.
    """
    if any(not relation.schema for relation in relations(draft)):
        raise Refusal(
            "All the relation names inside should be qualified when creating VIEW WITH NO SCHEMA BINDING.",
            "42601",
            hint="Write schema.table.",
        )
    if any(draft.words_at(index, "with", "recursive") for index in range(len(draft))):
        raise Refusal("Recursive CTE is not supported in VIEW WITH NO SCHEMA BINDING")


def _drop(draft: Draft, _in_transaction: bool) -> Sequence[str]:
    kind = draft.word(1)
    if kind in _PASSED_OBJECTS | {"table", "view"}:
        return roles.rewrite_role(draft) if kind == "role" else ()
    if kind == "materialized":
        return materialized.drop(draft)
    raise _unsupported(draft)


def _truncate(draft: Draft, _in_transaction: bool) -> Sequence[str]:
    table = read_name(draft, 2 if draft.word(1) == "table" else 1)
    if table.last != len(draft) - 1:
        raise syntax_error(draft, table.last + 1)
    return ("COMMIT",)  # it cannot be rolled back


def _unsupported(draft: Draft) -> Refusal:
    return Refusal(f'SQL command "{draft.render()}" not supported.')


RULES: dict[str, Callable[[Draft, bool], Sequence[str]]] = {
    "create": _create,
    "alter": alter.rewrite,
    "drop": _drop,
    "truncate": _truncate,
}
