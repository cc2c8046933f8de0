"""What only the session's tables can tell of a SELECT: whether a name is a column's or an alias's.

"You can use an alias in other expressions defined after it in the same target list. [...] When Amazon
Redshift parses this type of reference, it just inlines the previously defined aliases. If there is a column
with the same name defined in the FROM clause [...], the column in the FROM clause takes priority" (Redshift
Database Developer Guide, "SELECT list"). "You can use aliases in the WHERE clause" ("WHERE clause"), but not
in HAVING ("HAVING clause"). PostgreSQL knows an alias in GROUP BY and ORDER BY alone.

Which columns FROM has is PostgreSQL's to say: the relay has it describe ``SELECT * FROM …``.
"""

from collections.abc import Generator, Iterable, Iterator

from sandbox.redshift.dialect.clauses import Query, is_in_recursion, queries, visible_tables
from sandbox.redshift.dialect.draft import Draft, Span, too_complex
from sandbox.redshift.dialect.names import quote
from sandbox.redshift.dialect.select import split_alias
from sandbox.redshift.sql.tokens import tokenize, words

# The first argument of these is a word of the language, whatever it is an alias of.
_TAKE_WORD = words(
    "extract date_part datepart date_part_year date_trunc dateadd datediff date_add date_diff convert"
)
# Without quotes these are no names in an expression.
_KEYWORDS = words(
    "all and any as asc at between both by case cast collate current current_date desc distinct else end"
    " escape exists false following for from group ilike in interval is leading like not null nulls or order"
    " over partition preceding precision range row rows select similar some then to trailing true unbounded"
    " unknown varying when where with within without zone"
)
_LIMITS = words("limit offset top")
# All questions of one statement: each repeats what the inner queries have been made of.
_LONGEST_QUESTIONS = 1_000_000


def need_look(draft: Draft) -> bool:
    """Whether a name may be an alias where PostgreSQL knows only columns; or ORDER BY is beyond DISTINCT."""
    return any(_needs_look(draft, query) for query in queries(draft))


def resolve(text: str, *, backslash_escapes: bool) -> Generator[str, frozenset[str], str]:
    """The statement with what its aliases stand for in their places.

    It gives questions, queries whose columns' names it has to be sent; PostgreSQL's error for one is the
    statement's own.

    Args:
        text: A statement, as the client wrote it.
        backslash_escapes: Whether a backslash escapes in ordinary literals.

    Raises:
        Refusal: It would be too long then (54001).
    """
    draft = Draft(text, tokenize(text, backslash_escapes=backslash_escapes))
    asked = 0
    for query in queries(draft):
        if _has_late_alias(draft, query):
            columns: frozenset[str] = frozenset()
            if "from" in query.clauses:
                question = _question(draft, query, "*")
                asked += len(question)
                if asked > _LONGEST_QUESTIONS:
                    raise too_complex()
                columns = yield _without_parameters(question, backslash_escapes=backslash_escapes)
            _inline(draft, query, columns)
        if beyond := _beyond_distinct(draft, query):
            question = _question(draft, query, ", ".join(draft.render(span) for span in beyond))
            yield _without_parameters(question, backslash_escapes=backslash_escapes)
            order = query.clauses["order"]
            draft.remove(order.first, order.last)
    return draft.render()


def _needs_look(draft: Draft, query: Query) -> bool:
    return _has_late_alias(draft, query) or bool(_beyond_distinct(draft, query))


def _has_late_alias(draft: Draft, query: Query) -> bool:
    known: set[str] = set()
    for item in query.items:
        expression, name = split_alias(draft, item)
        if known and _names_one_of(draft, expression, known):
            return not is_in_recursion(draft, query.select)
        if name and not _is_column(draft, expression, name):
            known.add(name)
    is_in_where = bool(known) and _names_one_of(draft, query.clauses.get("where"), known)
    return is_in_where and not is_in_recursion(draft, query.select)


def _names_one_of(draft: Draft, span: Span | None, known: set[str]) -> bool:
    return any(draft.tokens[at].name in known for at in _values(draft, span))


def _is_column(draft: Draft, expression: Span, name: str) -> bool:
    """Whether it is ``t.a AS a``."""
    marks = range(expression.first, expression.last + 1)
    return draft.tokens[expression.last].name == name and all(
        draft.tokens[at].is_name or draft.is_operator(at, ".") for at in marks
    )


def _values(draft: Draft, span: Span | None) -> Iterator[int]:
    """The bare names of an expression that may be columns, but for those in its subqueries."""
    at, last = (span.first, span.last) if span else (0, -1)
    while at <= last:
        if draft.is_operator(at, "(") and draft.word(at + 1) in ("select", "with"):
            at = draft.closing(at)
        elif draft.tokens[at].is_name and _is_value(draft, at):
            yield at
        at += 1


def _is_value(draft: Draft, at: int) -> bool:
    around = (draft.text(at - 1), draft.text(at + 1))
    if "." in around or around[1] == "(" or around[0] == "::" or draft.word(at) in _KEYWORDS:
        return False  # a column of a named table, a function, a type
    if draft.word(at - 1) in ("as", "at", "nulls"):
        return False  # AS type, AT TIME ZONE, NULLS FIRST
    if at + 1 < len(draft) and draft.tokens[at + 1].kind == "string":
        return False  # timestamp '…'
    if draft.tokens[at - 1].kind == "string" and draft.word(at - 2) == "interval":
        return False  # interval '1' day
    return not (around[0] == "(" and draft.word(at - 2) in _TAKE_WORD)


def _inline(draft: Draft, query: Query, columns: frozenset[str]) -> None:
    known: dict[str, str] = {}
    for item in query.items:
        expression, name = split_alias(draft, item)
        stands_for = _bare(draft, expression) if not name else ""
        _put(draft, _values(draft, expression), known)
        if stands_for in known:
            draft.after(item.last, f" AS {quote(stands_for)}")
        if name and name not in columns:
            known.setdefault(name, f"({draft.render(expression)})")
    _put(draft, _values(draft, query.clauses.get("where")), known)


def _bare(draft: Draft, expression: Span) -> str:
    """The name that the column gets of ``a`` and ``a::type``."""
    alone = expression.first == expression.last or draft.is_operator(expression.first + 1, "::")
    return draft.tokens[expression.first].name if alone else ""


def _put(draft: Draft, places: Iterable[int], known: dict[str, str]) -> None:
    for at in list(places):
        if text := known.get(draft.tokens[at].name):
            draft.replace(at, text)


def _beyond_distinct(draft: Draft, query: Query) -> list[Span]:
    """What ``INSERT … SELECT DISTINCT`` is sorted by that it does not select.

    Redshift takes it (recorded: a published project loads 96 rows so); what the rows are sorted by is nothing
    that an INSERT keeps. Of a plain SELECT it is not known, so PostgreSQL refuses that.
    """
    clauses = query.clauses
    is_inserted = draft.word(0) == "insert" and draft.enclosing(query.select) < 0 and query.is_distinct
    if not is_inserted or not {"from", "order"} <= clauses.keys() or _LIMITS & clauses.keys():
        return []
    selected = {draft.render(item) for item in query.items}
    for item in query.items:
        expression, name = split_alias(draft, item)
        selected |= {draft.render(expression), name}
    order = clauses["order"]
    keys = [_sort_key(draft, item) for item in draft.split(order.first + 2, order.last)]
    return [
        key for key in keys if draft.render(key) not in selected and draft.tokens[key.first].kind != "number"
    ]


def _sort_key(draft: Draft, item: Span) -> Span:
    last = item.last
    while draft.word(last) in ("asc", "desc", "nulls", "first", "last") and last > item.first:
        last -= 1
    return Span(item.first, last)


def _question(draft: Draft, query: Query, columns: str) -> str:
    with_ = visible_tables(draft, query.select)
    return f"{with_}SELECT {columns} {draft.render(query.clauses['from'])}"


def _without_parameters(text: str, *, backslash_escapes: bool) -> str:
    """The question without bound values: nobody asks for its rows, and nothing tells their types."""
    draft = Draft(text, tokenize(text, backslash_escapes=backslash_escapes))
    for index, token in enumerate(draft.tokens):
        if token.kind == "parameter":
            draft.replace(index, "1" if draft.word(index - 1) in _LIMITS else "NULL")
    return draft.render()
