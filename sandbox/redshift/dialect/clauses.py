"""The SELECTs of a statement, each with where its clauses stand."""

from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.redshift.dialect.draft import Draft, Span
from sandbox.redshift.sql.tokens import words

_CLAUSES = words("into from where having qualify limit offset")
_BEFORE_BY = words("group order")
_SET_OPERATORS = words("union intersect except minus")


@dataclass(frozen=True)
class Query:
    """One SELECT.

    Args:
        select: Index of the word.
        items: Its output columns.
        is_distinct: It is a SELECT DISTINCT.
        clauses: Where its clauses stand, each with the word that it begins with.
    """

    select: int
    items: tuple[Span, ...]
    is_distinct: bool
    clauses: dict[str, Span]


def queries(draft: Draft) -> list[Query]:
    """Every SELECT of the statement, those first that others read: inner ones, and earlier ones of a WITH."""
    found = [index for index in draft.places("select") if _is_select(draft, index)]
    return [_query(draft, index) for index in sorted(found, key=lambda at: (_end(draft, at), at))]


def visible_tables(draft: Draft, select: int) -> str:
    """The WITH clause of all common table expressions that the SELECT can name; empty without any.

    Args:
        draft: The statement.
        select: Where the SELECT stands.
    """
    found: dict[str, str] = {}
    recursive = ""
    for with_ in _withs_around(draft, select):
        for name, definition in _common_tables(draft, with_, select):
            found[name] = draft.render(definition)
            recursive = recursive or (" RECURSIVE" if draft.word(with_ + 1) == "recursive" else "")
    return f"WITH{recursive} {', '.join(found.values())} " if found else ""


def is_in_recursion(draft: Draft, select: int) -> bool:
    """Whether the SELECT may stand inside a WITH RECURSIVE, and read what it defines."""
    return any(
        draft.word(with_ + 1) == "recursive" and draft.depth(select) > draft.depth(with_)
        for with_ in _withs_around(draft, select)
    )


def _withs_around(draft: Draft, select: int) -> list[int]:
    """Every WITH before the SELECT at its level, or at one around it; the outermost first."""
    around = {draft.enclosing(select)}
    opening = select
    while (opening := draft.enclosing(opening)) >= 0:
        around.add(draft.enclosing(opening))
    withs = [at for at in draft.places("with") if at < select and draft.enclosing(at) in around]
    return sorted(withs, key=draft.depth)


def _is_select(draft: Draft, index: int) -> bool:
    is_label = draft.is_operator(index - 1, ".") or draft.word(index - 1) == "as"
    # Behind AS it is a query in CREATE TABLE and CREATE VIEW, and a label in a list.
    return not is_label or draft.word(0) in ("create", "prepare")


def _end(draft: Draft, index: int) -> int:
    """The last token of the query level that the token is in."""
    opening = draft.enclosing(index)
    return draft.closing(opening) - 1 if opening >= 0 else len(draft) - 1


def _query(draft: Draft, select: int) -> Query:
    start = select + 1
    is_distinct = draft.word(start) == "distinct"
    start += draft.word(start) in ("distinct", "all")
    if draft.word(start) == "top" and draft.text(start + 1).isdigit():
        start += 2
    end = _end(draft, select)
    marks: list[tuple[int, str]] = []
    for at in draft.same_level(start, end):
        if draft.word(at) in _SET_OPERATORS and draft.word(at - 1) != "as":
            end = at - 1
            break
        if _begins_clause(draft, at):
            marks.append((at, draft.word(at)))
    ends = [at - 1 for at, _ in marks[1:]] + [end]
    clauses = {word: Span(at, last) for (at, word), last in zip(marks, ends, strict=True)} if marks else {}
    last = marks[0][0] - 1 if marks else end
    return Query(select, tuple(draft.split(start, last)), is_distinct, clauses)


def _begins_clause(draft: Draft, at: int) -> bool:
    word = draft.word(at)
    is_clause = word in _CLAUSES or (word in _BEFORE_BY and draft.word(at + 1) == "by")
    return is_clause and draft.word(at - 1) != "as" and not draft.is_operator(at - 1, ".")


def _common_tables(draft: Draft, with_: int, before: int) -> Iterator[tuple[str, Span]]:
    """What a WITH defines in front of a token: names, and ``name [(columns)] AS (query)``."""
    name = with_ + 1 + (draft.word(with_ + 1) == "recursive")
    while name < before and draft.tokens[name].is_name:
        as_ = draft.closing(name + 1) + 1 if draft.is_operator(name + 1, "(") else name + 1
        last = draft.closing(as_ + 1)
        if draft.word(as_) != "as" or not draft.is_operator(as_ + 1, "(") or last > before:
            return
        yield draft.tokens[name].name, Span(name, last)
        if not draft.is_operator(last + 1, ","):
            return
        name = last + 2
