"""ALTER TABLE in Redshift's grammar."""

from collections.abc import Sequence

from sandbox.redshift.dialect import (
    absent_commands,
    expressions,
    lexical,
    materialized,
    roles,
    schemas,
    users,
)
from sandbox.redshift.dialect.attributes import (
    TableAttributes,
    call,
    take_distkey,
    take_diststyle,
    take_sortkey,
)
from sandbox.redshift.dialect.column_types import read_type
from sandbox.redshift.dialect.columns import read_encoding, rewrite_column
from sandbox.redshift.dialect.draft import Draft, Span
from sandbox.redshift.dialect.keys import read_table_constraint
from sandbox.redshift.dialect.names import Name, read_name, syntax_error
from sandbox.redshift.dialect.statement import Refusal

_OTHER_OBJECTS = frozenset(("schema", "user", "group", "role", "database", "default", "view"))
_RULES = {
    "default": roles.rewrite_default,
    "role": roles.rewrite_role,
    "schema": schemas.check_schema,
    "user": users.rewrite_user,
}
_KEY_WORDS = frozenset(("primary", "unique", "foreign", "constraint"))


def rewrite(draft: Draft, in_transaction: bool) -> Sequence[str]:
    """Rewrite ALTER; returns the statements that follow it.

    Raises:
        Refusal: Redshift does not have the form, or not here.
    """
    if draft.word(1) in _OTHER_OBJECTS:
        return _other_object(draft)
    if draft.word(1) == "materialized":
        return materialized.alter(draft)
    return _alter_table(draft, in_transaction)


def _alter_table(draft: Draft, in_transaction: bool) -> Sequence[str]:
    if draft.word(1) != "table":
        raise Refusal(f'SQL command "{draft.render()}" not supported.')
    table = read_name(draft, 2)
    at = table.last + 1
    action = draft.word(at)
    if action == "add":
        return _add(draft, table, at)
    if action == "drop":
        return _drop(draft, table, at)
    if action == "alter":
        return _alter(draft, table, at, in_transaction)
    if action == "append":
        raise absent_commands.APPEND.refusal("ALTER TABLE APPEND")
    if action == "rename" or draft.words_at(at, "owner", "to"):
        return ()
    raise syntax_error(draft, at)


def _other_object(draft: Draft) -> Sequence[str]:
    for index in range(2, len(draft)):
        if draft.word(index) == "set":
            lexical.check_setting(draft, index + 1)
    rule = _RULES.get(draft.word(1))
    return rule(draft) if rule else ()


def _add(draft: Draft, table: Name, at: int) -> Sequence[str]:
    attributes = TableAttributes()
    if draft.word(at + 1) in _KEY_WORDS:
        attributes.keys.append(read_table_constraint(draft, at + 1))
        return _only_declare(draft, table, attributes)
    first = at + 2 if draft.word(at + 1) == "column" else at + 1
    items = draft.split(first, len(draft) - 1)
    if len(items) != 1:
        raise syntax_error(draft, items[0].last + 1, hint="Redshift adds one column a statement.")
    expressions.rewrite(draft)  # DEFAULT
    attributes.add_column(rewrite_column(draft, items[0]))
    return [attributes.declaration(table)] if attributes else ()


def _drop(draft: Draft, table: Name, at: int) -> Sequence[str]:
    if draft.word(at + 1) != "constraint":
        if any(draft.is_operator(index, ",") for index in range(at, len(draft))):
            raise syntax_error(draft, at + 1, hint="Redshift drops one column a statement.")
        return ()
    constraint = read_name(draft, at + 2)
    _do_nothing(draft, table)
    return [call("drop_key", table, constraint.parts[-1])]


def _alter(draft: Draft, table: Name, at: int, in_transaction: bool) -> Sequence[str]:
    if draft.word(at + 1) == "column" and draft.word(read_name(draft, at + 2).last + 1) != "encode":
        return _alter_column(draft, table, at + 2, in_transaction)
    attributes = TableAttributes()
    last = _take_change(draft, at + 1, attributes)
    while draft.is_operator(last + 1, ",") and draft.word(last + 2) == "alter":
        last = _take_change(draft, last + 3, attributes)
    if last != len(draft) - 1:
        raise syntax_error(draft, last + 1)
    attributes.check()
    return _only_declare(draft, table, attributes)


def _take_change(draft: Draft, at: int, attributes: TableAttributes) -> int:
    """Read what follows one ALTER; returns its last token."""
    word = draft.word(at)
    if word == "column":
        column = read_name(draft, at + 1)
        attributes.encodings[column.parts[-1]] = read_encoding(draft, column.last + 2)
        return column.last + 2
    if word == "encode" and draft.word(at + 1) == "auto":
        return at + 1
    if word == "distkey":
        return _take_distkey(draft, at + 1, attributes)
    if word == "diststyle":
        last = take_diststyle(draft, at + 1, attributes)
        return _take_distkey(draft, last + 2, attributes) if draft.word(last + 1) == "distkey" else last
    last_of_key = take_sortkey(draft, at, attributes)
    if last_of_key is None:
        raise syntax_error(draft, at)
    return last_of_key


def _take_distkey(draft: Draft, index: int, attributes: TableAttributes) -> int:
    if draft.is_operator(index, "("):
        return take_distkey(draft, index, attributes)
    attributes.set_distkey(read_name(draft, index).parts[-1])
    return index


def _alter_column(draft: Draft, table: Name, at: int, in_transaction: bool) -> Sequence[str]:
    column = read_name(draft, at)
    at = column.last + 1
    if draft.word(at) != "type":
        raise syntax_error(draft, at)
    if in_transaction:
        raise Refusal("ALTER TABLE ALTER COLUMN cannot run inside a transaction block", "25001")
    type_, span = read_type(draft, at + 1, column.parts[-1])
    if not type_.sql.startswith("character varying"):
        raise Refusal("ALTER COLUMN TYPE changes only the size of a VARCHAR column")
    draft.rewrite(Span(span.first, span.last), type_.sql)
    return [call("resize_column", table, column.parts[-1], str(type_.length))]


def _only_declare(draft: Draft, table: Name, attributes: TableAttributes) -> Sequence[str]:
    _do_nothing(draft, table)
    return [attributes.declaration(table)] if attributes else ()


def _do_nothing(draft: Draft, table: Name) -> None:
    """A statement with ALTER TABLE's checks and answer, and no effect."""
    draft.remove(table.last + 1, len(draft) - 1)
    draft.after(table.last, " RESET (fillfactor)")
