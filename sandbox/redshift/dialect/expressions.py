"""Functions and casts that Redshift has and PostgreSQL has not, or has with another meaning."""

from collections.abc import Callable

from sandbox.redshift.dialect import casts, dates, windows
from sandbox.redshift.dialect.draft import Draft, Span
from sandbox.redshift.sql.tokens import words

# A name before a parenthesis is no function behind these.
_BEFORE_RELATION = words("into table update as view references like exists")
# They are called without parentheses.
_BARE = {"sysdate": "pg_internal.sysdate()", "current_user_id": "pg_internal.current_user_id()"}


def rewrite(draft: Draft) -> None:
    """Rewrite every function call and cast that differs, the inner ones first."""
    for index in range(len(draft) - 1, -1, -1):
        word = draft.word(index)
        if draft.is_operator(index, "::") or (word == "as" and casts.is_cast(draft, index)):
            casts.cast_type(draft, index + 1)
        elif word in _FUNCTIONS and is_call(draft, index):
            _FUNCTIONS[word](draft, index)
        elif word in _BARE and not draft.is_operator(index - 1, ".") and draft.word(index - 1) != "as":
            draft.replace(index, _BARE[word])
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


def _log(draft: Draft, name: int) -> None:
    """``LOG(value)``, to the base 10; its column is called dlog10."""
    if len(draft.arguments(name + 1)) == 1:
        draft.replace(name, "dlog10")


def _avg(draft: Draft, name: int) -> None:
    """``AVG(value) [OVER …]``: beside it the sum, whose scale a DECIMAL's average has (12_aggregates.sql)."""
    last = draft.closing(name + 1)
    if draft.word(last + 1) == "over":
        last = draft.closing(last + 2) if draft.is_operator(last + 2, "(") else last + 2
    call = draft.render(Span(name + 1, last))
    draft.rewrite(Span(name, last), f"pg_internal.avg(pg_internal.avg{call}, pg_internal.sum{call})")


def _put(draft: Draft, name: int, text: str) -> None:
    draft.rewrite(Span(name, draft.closing(name + 1)), text)


_FUNCTIONS: dict[str, Callable[[Draft, int], None]] = {
    # Of the same name, with Redshift's results.
    **{
        name: _renamed(f"pg_internal.{name}")
        for name in words(
            "bpcharcmp bttext_pattern_cmp concat exp pow power regexp_count regexp_instr regexp_replace"
            " regexp_substr split_part sqrt stddev stddev_pop stddev_samp sum var_pop var_samp variance"
        )
    },
    "avg": _avg,
    "convert": casts.convert,
    "date_part": dates.date_part,
    "datepart": dates.date_part,
    "date_trunc": dates.date_trunc,
    "dateadd": dates.dateadd,
    "datediff": dates.datediff,
    "decode": _decode,
    "extract": dates.extract,
    "first_value": windows.value_of_row,
    "isnull": _renamed("coalesce"),
    "lag": windows.neighbour,
    "last_value": windows.value_of_row,
    "lead": windows.neighbour,
    "listagg": windows.listagg,
    "log": _log,
    "median": windows.median,
    "nth_value": windows.value_of_row,
    "nvl": _renamed("coalesce"),
    "nvl2": _nvl2,
    "percentile_cont": windows.percentile,
    "percentile_disc": windows.percentile,
    "ratio_to_report": windows.ratio_to_report,
    "try_cast": casts.try_cast,
}
WORDS = (
    frozenset(_FUNCTIONS) | casts.UNSIZED_DECIMAL | frozenset(_BARE) | words("minus approximate nvarchar max")
)
