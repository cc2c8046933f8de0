"""Materialized views: PostgreSQL's own, refreshed by hand, with Redshift's grammar and limits.

The pages CREATE, ALTER, REFRESH and DROP MATERIALIZED VIEW of the Database Developer Guide.
"""

from collections.abc import Sequence

from sandbox.redshift.dialect import absent_commands, queries
from sandbox.redshift.dialect.attributes import (
    TableAttributes,
    call,
    take_distkey,
    take_diststyle,
    take_sortkey,
)
from sandbox.redshift.dialect.draft import Draft
from sandbox.redshift.dialect.names import Name, read_name, syntax_error
from sandbox.redshift.dialect.relations import relations
from sandbox.redshift.dialect.statement import Refusal

# Behind these a parenthesis may hold ORDER BY.
_ORDERED = ("over", "group")
_LIMITS = ("limit", "offset", "top")


def create(draft: Draft) -> Sequence[str]:
    """``CREATE MATERIALIZED VIEW name [attributes] AS query``; returns what follows.

    Raises:
        Refusal: "You can't define a materialized view that references or includes" what it has.
    """
    if draft.word(1) != "materialized" or draft.word(2) != "view":
        raise syntax_error(draft, 1)
    definition = draft.render() + ";"
    name = read_name(draft, 3)
    if name.is_temporary:
        raise Refusal("materialized views cannot be temporary")
    attributes = TableAttributes(diststyle=None)
    at = _take_attributes(draft, name.last + 1, attributes)
    _check_query(draft, at)
    queries.rewrite(draft)
    if not attributes.distkey and not attributes.diststyle:
        attributes.diststyle = "even"
    return [call("declare_materialized_view", name, definition), attributes.declaration(name)]


def _take_attributes(draft: Draft, start: int, attributes: TableAttributes) -> int:
    """Read and remove what stands between name and AS; returns where AS is."""
    at = start
    while at < len(draft) and draft.word(at) != "as":
        at = _take(draft, at, attributes) + 1
    if at >= len(draft):
        raise syntax_error(draft, at)
    if at > start:
        draft.remove(start, at - 1)
    attributes.check()
    return at


def _take(draft: Draft, at: int, attributes: TableAttributes) -> int:
    word = draft.word(at)
    if word == "backup" and draft.word(at + 1) in ("yes", "no"):
        return at + 1
    if word == "auto" and draft.word(at + 1) == "refresh":
        return _take_refresh(draft, at)
    if word == "diststyle" and draft.word(at + 1) != "auto":
        return take_diststyle(draft, at + 1, attributes)
    if word == "distkey":
        return take_distkey(draft, at + 1, attributes)
    last = take_sortkey(draft, at, attributes)
    if last is None or not attributes.sortkeys:
        raise syntax_error(draft, at)
    return last


def _take_refresh(draft: Draft, at: int) -> int:
    """``AUTO REFRESH NO``; returns its last token."""
    if draft.word(at + 2) == "yes":
        raise absent_commands.AUTO_REFRESH.refusal("AUTO REFRESH YES")
    if draft.word(at + 2) != "no":
        raise syntax_error(draft, at + 2)
    return at + 2


def _check_query(draft: Draft, start: int) -> None:
    """Refuse what a definition must not hold; what the names are of, the catalog says.

    That TOP is refused as LIMIT is, and the words of these errors, are UNCONFIRMED.
    """
    for at in range(start, len(draft)):
        word = draft.word(at)
        if word == "order" and draft.word(at + 1) == "by":
            opening = draft.enclosing(at)
            if opening < 0 or draft.word(opening - 1) not in _ORDERED:
                raise _not_in_definition("ORDER BY", "Order the query of the view instead.")
        elif word in _LIMITS and _is_clause(draft, at):
            raise _not_in_definition(word.upper(), "Limit the query of the view instead.")
    if draft.words_at(len(draft) - 2, "with", "data") or draft.words_at(len(draft) - 3, "with", "no", "data"):
        raise syntax_error(draft, len(draft) - 1)
    for relation in relations(draft):
        if relation.is_catalog or relation.is_system:
            raise _not_in_definition("system tables and views", "Make it of tables of your own.")


def _is_clause(draft: Draft, at: int) -> bool:
    """Whether LIMIT, OFFSET or TOP is one, and no name."""
    following = at + 1 < len(draft) and draft.tokens[at + 1].kind in ("number", "parameter")
    return following or draft.word(at + 1) == "all"


def _not_in_definition(what: str, hint: str) -> Refusal:
    return Refusal(f"{what} not supported in the definition of a materialized view", hint=hint)


def drop(draft: Draft) -> Sequence[str]:
    """``DROP MATERIALIZED VIEW [IF EXISTS] name [CASCADE | RESTRICT]``.

    Raises:
        Refusal: It is another form.
    """
    at = _view(draft, 1)
    name = read_name(draft, at + 2 if draft.words_at(at, "if", "exists") else at)
    _end(draft, name, ("cascade", "restrict"))
    return ()


def refresh(draft: Draft, _in_transaction: bool) -> Sequence[str]:
    """``REFRESH MATERIALIZED VIEW name [RESTRICT | CASCADE]``; returns what follows.

    Raises:
        Refusal: It is another form.
    """
    name = read_name(draft, _view(draft, 1))
    _end(draft, name, ("cascade", "restrict"))
    cascades = draft.word(name.last + 1) == "cascade"
    if name.last + 1 < len(draft):
        draft.remove(name.last + 1, name.last + 1)
    return [call("note_refresh", name, str(cascades))]


def alter(draft: Draft) -> Sequence[str]:
    """``ALTER MATERIALIZED VIEW name AUTO REFRESH NO``, which it is anyhow.

    Raises:
        Refusal: It is another form.
    """
    name = read_name(draft, _view(draft, 1))
    at = name.last + 1
    if draft.words_at(at, "row", "level", "security"):
        raise Refusal("ROW LEVEL SECURITY is not in the sandbox", hint="docs/sandbox.md lists what is.")
    if not draft.words_at(at, "auto", "refresh") or _take_refresh(draft, at) != len(draft) - 1:
        raise syntax_error(draft, at)
    # Asks for the view and for its ownership, and changes nothing.
    draft.rewrite_all(f"ALTER MATERIALIZED VIEW {name.sql} RESET (fillfactor)")
    return ()


def _view(draft: Draft, at: int) -> int:
    """Where the token behind MATERIALIZED VIEW is."""
    if not draft.words_at(at, "materialized", "view"):
        raise syntax_error(draft, at)
    return at + 2


def _end(draft: Draft, name: Name, last_words: tuple[str, ...]) -> None:
    at = name.last + 1
    if draft.word(at) in last_words:
        at += 1
    if at < len(draft):
        raise syntax_error(draft, at)
