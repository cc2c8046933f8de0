"""SELECT's clauses that PostgreSQL does not have: TOP and QUALIFY."""

from dataclasses import dataclass

from sandbox.redshift.dialect import absent_commands
from sandbox.redshift.dialect.draft import Draft, Span
from sandbox.redshift.dialect.names import Name, quote, read_name, syntax_error
from sandbox.redshift.dialect.relations import alias_at
from sandbox.redshift.sql.tokens import words

_SET_OPERATORS = words("union intersect except minus")
_AFTER_QUALIFY = words("order limit offset") | _SET_OPERATORS
_KEPT = "qualify_kept"
_ROWS = "qualified"
_BEFORE_EXPRESSION = words("and or not is distinct like ilike in between then else when from at")


@dataclass(frozen=True)
class _Item:
    """One output column of a SELECT with QUALIFY: what the inner SELECT and what the outer one says."""

    inner: str
    outer: str


def rewrite(draft: Draft) -> Name | None:
    """Rewrite every TOP, QUALIFY and INTO #temporary table; returns the table that INTO makes.

    Raises:
        Refusal: Redshift does not take the clause there, or the sandbox does not.
    """
    qualifies = []
    made = None
    for index in range(len(draft)):
        word = draft.word(index)
        if word == "select" and _has_top(draft, index):
            _top(draft, index)
        elif word == "qualify" and not draft.is_operator(index - 1, ".") and draft.word(index - 1) != "as":
            qualifies.append(index)
        elif word == "into" and _makes_table(draft, index):
            made = _made(draft, index)
    for index in sorted(qualifies, key=lambda at: -draft.depth(at)):
        _qualify(draft, index)
    return made


def _makes_table(draft: Draft, into: int) -> bool:
    """``SELECT … INTO t``; a column may be called into where a dot stands before it."""
    before = draft.word(into - 1) not in ("insert", "merge") and not draft.is_operator(into - 1, ".")
    return before and draft.enclosing(into) < 0 and draft.word(0) in ("select", "with")


def _made(draft: Draft, into: int) -> Name:
    """The table behind INTO [TEMP | TEMPORARY] [TABLE]; a #name says that it is temporary."""
    at = into + 1
    while draft.word(at) in ("local", "temp", "temporary", "table"):
        at += 1
    name = read_name(draft, at)
    if name.is_temporary and at == into + 1:
        draft.after(into, " TEMP")
    return name


def _has_top(draft: Draft, select: int) -> bool:
    number = select + 2
    return (
        draft.word(select + 1) == "top"
        and number < len(draft)
        and draft.tokens[number].kind in ("number", "parameter")
    )


def _level_end(draft: Draft, index: int) -> int:
    """The last token of the query level that `index` is in."""
    opening = draft.enclosing(index)
    return draft.closing(opening) - 1 if opening >= 0 else len(draft) - 1


def _top(draft: Draft, select: int) -> None:
    """``SELECT TOP n …`` is ``SELECT … LIMIT n``."""
    end = _level_end(draft, select)
    level = list(draft.same_level(select, end))
    if any(draft.word(index) in _SET_OPERATORS for index in level):
        raise absent_commands.TOP_OF_SETS.refusal("TOP together with UNION, INTERSECT or EXCEPT")
    number = draft.render(Span(select + 2, select + 2))
    draft.remove(select + 1, select + 2)
    draft.after(end, f" LIMIT {number}")


def _qualify(draft: Draft, index: int) -> None:
    """Filter outside what the SELECT computes inside; the columns keep their names."""
    select, start, from_ = _head(draft, index)
    end = next(
        (
            at - 1
            for at in draft.same_level(index, _level_end(draft, index))
            if draft.word(at) in _AFTER_QUALIFY
        ),
        _level_end(draft, index),
    )
    _must_have_alias(draft, from_, index)
    items = draft.split(start, from_ - 1)
    condition = _condition(draft, Span(index + 1, end), items)
    columns = [
        column for number, item in enumerate(items) for column in _columns(draft, item, number, from_, index)
    ]
    distinct = draft.render(Span(select, start - 1))
    inner = ", ".join(column.inner for column in columns)
    outer = ", ".join(column.outer for column in columns)
    draft.rewrite(
        Span(select, from_ - 1), f"{distinct} {outer} FROM (SELECT {inner}, ({condition}) AS {_KEPT}"
    )
    draft.rewrite(Span(index, end), f") AS {_ROWS} WHERE {_KEPT}")


def _head(draft: Draft, index: int) -> tuple[int, int, int]:
    """SELECT, its first output column and FROM of the query that the QUALIFY at `index` belongs to."""
    opening = draft.enclosing(index)
    level = list(draft.same_level(opening + 1, index))
    selects = [at for at in level if draft.word(at) == "select"]
    froms = [at for at in level if draft.word(at) == "from" and selects and at > selects[-1]]
    if not froms:
        raise syntax_error(draft, index)
    start = selects[-1] + 1
    while draft.word(start) in ("distinct", "all"):
        start += 1
    return selects[-1], start, froms[0]


def _must_have_alias(draft: Draft, from_: int, index: int) -> None:
    """Redshift asks for it where QUALIFY follows FROM's only relation directly."""
    is_subquery = draft.is_operator(from_ + 1, "(")
    last = draft.closing(from_ + 1) if is_subquery else read_name(draft, from_ + 1).last
    if last + 1 == index:
        raise syntax_error(draft, index, hint="Give the relation in FROM an alias, or write WHERE true.")


def _condition(draft: Draft, span: Span, items: list[Span]) -> str:
    """The condition, with the names of window functions among the columns replaced by what they stand for."""
    named = {}
    for item in items:
        expression, name = split_alias(draft, item)
        if name and any(draft.word(at) == "over" for at in range(expression.first, expression.last + 1)):
            named[name] = f"({draft.render(expression)})"
    for at in range(span.first, span.last + 1):
        name = draft.tokens[at].name
        if name in named and not draft.is_operator(at - 1, ".") and not draft.is_operator(at + 1, "."):
            draft.replace(at, named[name])
    return draft.render(span)


def _columns(draft: Draft, item: Span, number: int, from_: int, index: int) -> list[_Item]:
    if draft.is_operator(item.last, "*") and (
        item.first == item.last or draft.is_operator(item.last - 1, ".")
    ):
        if item.first == item.last:
            sources = _sources(draft, from_, index)
        else:
            sources = [draft.render(Span(item.first, item.last - 2))]
        return [
            _Item(f"{source} AS qualify_{number}_{at}", f"({_ROWS}.qualify_{number}_{at}).*")
            for at, source in enumerate(sources)
        ]
    expression, name = split_alias(draft, item)
    text = draft.render(expression)
    if name:
        return [_Item(f"{text} AS {quote(name)}", f"{_ROWS}.{quote(name)}")]
    column = f"qualify_{number}"
    return [_Item(f"{text} AS {column}", f"{_ROWS}.{column} AS {quote(_derived_name(draft, expression))}")]


def _sources(draft: Draft, from_: int, index: int) -> list[str]:
    """What FROM's relations are called, in the order ``*`` lists their columns."""
    names = []
    at = from_
    level = list(draft.same_level(from_, index - 1))
    ends = [at for at in level if draft.word(at) in ("where", "group", "having")] or [index]
    for at in level:
        if at >= ends[0]:
            break
        if draft.word(at) in ("using", "natural"):
            raise absent_commands.QUALIFY_USING.refusal("SELECT * with JOIN … USING and QUALIFY")
        if at == from_ or draft.word(at) == "join" or draft.is_operator(at, ","):
            names.append(_source_name(draft, at + 1))
    return names


def _source_name(draft: Draft, at: int) -> str:
    name = ""
    if draft.is_operator(at, "("):
        at = draft.closing(at) + 1
    else:
        while draft.is_operator(at + 1, "."):
            at += 2
        name = draft.tokens[at].name
        at += 1
    alias, _ = alias_at(draft, at)
    return quote(alias or name)


def split_alias(draft: Draft, item: Span) -> tuple[Span, str]:
    """An output column's expression, and the name it is given."""
    last = draft.tokens[item.last]
    if item.last > item.first and last.is_name:
        before = draft.tokens[item.last - 1]
        if before.word == "as":
            return Span(item.first, item.last - 2), last.name
        ends_operand = before.text in (")", "]") or before.kind in ("string", "number", "parameter", "quoted")
        if last.word != "end" and (
            ends_operand or before.word in ("end", "null") or _is_bare_pair(before.word)
        ):
            return Span(item.first, item.last - 1), last.name
    return item, ""


def _is_bare_pair(word: str) -> bool:
    return bool(word) and word not in _BEFORE_EXPRESSION


def _derived_name(draft: Draft, expression: Span) -> str:
    """What the database calls a column without an alias."""
    first, last = expression.first, expression.last
    while draft.word(first) == "cast":
        first = last = first + 2
    if draft.word(first) == "case":
        return "case"
    name = first
    while draft.is_operator(name + 1, ".") and name + 2 <= last:
        name += 2
    if not draft.tokens[name].is_name:
        return "?column?"
    behind = name + 1
    if draft.is_operator(behind, "("):
        behind = draft.closing(behind) + 1
        if draft.words_at(behind, "within", "group"):
            behind = draft.closing(behind + 2) + 1
        if draft.word(behind) in ("ignore", "respect"):
            behind += 2
        if draft.word(behind) == "over":
            behind = draft.closing(behind + 1) + 1
    return draft.tokens[name].name if behind > last or draft.is_operator(behind, "::") else "?column?"
