"""Functions and casts that Redshift has and PostgreSQL has not, or has with another meaning."""

from collections.abc import Callable

from sandbox.redshift.dialect import dates
from sandbox.redshift.dialect.draft import Draft, Span
from sandbox.redshift.sql.tokens import words

# A name before a parenthesis is no function behind these.
_BEFORE_RELATION = words("into table update as view references like exists")
_UNSIZED_DECIMAL = words("decimal numeric")
_CASTS = words("cast try_cast")


def rewrite(draft: Draft) -> None:
    """Rewrite every function call and cast that differs, the inner ones first."""
    for index in range(len(draft) - 1, -1, -1):
        word = draft.word(index)
        if draft.is_operator(index, "::") or (word == "as" and _is_cast(draft, index)):
            _cast_type(draft, index + 1)
        elif word in _FUNCTIONS and is_call(draft, index):
            _FUNCTIONS[word](draft, index)
        elif word == "sysdate" and not draft.is_operator(index - 1, ".") and draft.word(index - 1) != "as":
            draft.replace(index, "pg_internal.sysdate()")
        elif word == "minus" and (draft.word(index + 1) in ("select", "all") or _is_query(draft, index + 1)):
            draft.replace(index, "EXCEPT")
        elif word == "approximate" and draft.word(index + 1) in ("count", "percentile_disc"):
            draft.remove(index, index)


def is_call(draft: Draft, index: int) -> bool:
    """Whether the word is the unqualified name of a called function."""
    return (
        draft.is_operator(index + 1, "(")
        and not draft.is_operator(index - 1, ".")
        and draft.word(index - 1) not in _BEFORE_RELATION
    )


def _is_query(draft: Draft, index: int) -> bool:
    return draft.is_operator(index, "(") and draft.word(index + 1) == "select"


def _is_cast(draft: Draft, index: int) -> bool:
    opening = draft.enclosing(index)
    return opening > 0 and draft.word(opening - 1) in _CASTS


def _cast_type(draft: Draft, index: int) -> None:
    word = draft.word(index)
    sized = draft.is_operator(index + 1, "(")
    if word in _UNSIZED_DECIMAL and not sized:
        draft.after(index, "(18,0)")  # Redshift's default; PostgreSQL's has no limit
    elif word == "nvarchar":
        draft.replace(index, "varchar")
    if sized and draft.word(index + 2) == "max":
        draft.replace(index + 2, "65535")


def _renamed(new: str) -> Callable[[Draft, int], None]:
    def rename(draft: Draft, name: int) -> None:
        draft.replace(name, new)

    return rename


def _nvl2(draft: Draft, name: int) -> None:
    """``NVL2(value, if_not_null, if_null)``."""
    arguments = draft.arguments(name + 1)
    if len(arguments) == 3:
        value, present, absent = map(draft.render, arguments)
        _put(draft, name, f"(CASE WHEN ({value}) IS NOT NULL THEN {present} ELSE {absent} END)")


def _decode(draft: Draft, name: int) -> None:
    """``DECODE(value, search, result, …, default)``: here NULL equals NULL."""
    arguments = draft.arguments(name + 1)
    if len(arguments) < 3:
        return
    value, *rest = map(draft.render, arguments)
    cases = [
        f"WHEN ({value}) IS NOT DISTINCT FROM ({search}) THEN {result}"
        for search, result in zip(rest[::2], rest[1::2], strict=False)
    ]
    default = f" ELSE {rest[-1]}" if len(rest) % 2 else ""
    _put(draft, name, f"(CASE {' '.join(cases)}{default} END)")


def _convert(draft: Draft, name: int) -> None:
    """``CONVERT(type, value)``."""
    arguments = draft.arguments(name + 1)
    if len(arguments) == 2:
        _cast_type(draft, arguments[0].first)
        type_, value = map(draft.render, arguments)
        _put(draft, name, f"CAST({value} AS {type_})")


def _listagg(draft: Draft, name: int) -> None:
    """``LISTAGG([DISTINCT] value [, delimiter]) [WITHIN GROUP (ORDER BY …)]``; NULL and '' are skipped."""
    arguments = draft.arguments(name + 1)
    if not arguments:
        return
    distinct = draft.word(arguments[0].first) == "distinct"
    value = draft.render(Span(arguments[0].first + distinct, arguments[0].last))
    delimiter = draft.render(arguments[1]) if len(arguments) > 1 else "''"
    last, sorted_ = draft.closing(name + 1), ""
    if draft.words_at(last + 1, "within", "group"):
        opening = last + 3
        last = draft.closing(opening)
        order = Span(opening + 1, last - 1)
        sorted_ = " " + (_distinct_order(draft, order, value) if distinct else draft.render(order))
    text = f"({value})::text"
    arguments_text = f"{'DISTINCT ' * distinct}{text}, {delimiter}{sorted_}"
    draft.rewrite(Span(name, last), f"pg_internal.listagg({arguments_text}) FILTER (WHERE {text} <> '')")


def _distinct_order(draft: Draft, span: Span, value: str) -> str:
    """PostgreSQL orders only by the very expression that it aggregates: numbers as texts."""
    items = draft.split(span.first + 2, span.last)
    if draft.render(items[0]).startswith(value) and len(items) == 1:
        return f"ORDER BY ({value})::text{draft.render(items[0])[len(value) :]}"
    return draft.render(span)


def _median(draft: Draft, name: int) -> None:
    """``MEDIAN(value)``."""
    value = draft.render(Span(name + 2, draft.closing(name + 1) - 1))
    _put(draft, name, f"percentile_cont(0.5) WITHIN GROUP (ORDER BY {value})")


def _ratio_to_report(draft: Draft, name: int) -> None:
    """``RATIO_TO_REPORT(value) OVER (…)``."""
    closing = draft.closing(name + 1)
    if draft.word(closing + 1) == "over" and draft.is_operator(closing + 2, "("):
        value = draft.render(Span(name + 2, closing - 1))
        window = Span(closing + 1, draft.closing(closing + 2))
        text = f"(({value})::float8 / NULLIF(pg_catalog.sum({value}) {draft.render(window)}, 0)::float8)"
        draft.rewrite(Span(name, window.last), text)


def _put(draft: Draft, name: int, text: str) -> None:
    draft.rewrite(Span(name, draft.closing(name + 1)), text)


_FUNCTIONS: dict[str, Callable[[Draft, int], None]] = {
    "avg": _renamed("pg_internal.avg"),
    "concat": _renamed("pg_internal.concat"),
    "convert": _convert,
    "date_part": dates.date_part,
    "date_trunc": dates.date_trunc,
    "dateadd": dates.dateadd,
    "datediff": dates.datediff,
    "decode": _decode,
    "extract": dates.extract,
    "isnull": _renamed("coalesce"),
    "listagg": _listagg,
    "median": _median,
    "nvl": _renamed("coalesce"),
    "nvl2": _nvl2,
    "ratio_to_report": _ratio_to_report,
    "regexp_replace": _renamed("pg_internal.regexp_replace"),
    "sum": _renamed("pg_internal.sum"),
}
WORDS = frozenset(_FUNCTIONS) | _UNSIZED_DECIMAL | words("sysdate minus approximate nvarchar max")
