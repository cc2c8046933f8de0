"""Window functions and ordered aggregates that PostgreSQL has not, or has without OVER or IGNORE NULLS.

What they mean is on their pages of Redshift's guide (r_WF_LAG, r_WF_first_value, r_WF_MEDIAN, r_LISTAGG, …);
the catalog's 15_windows.sql and 19_percentiles.sql have the functions.
"""

from sandbox.redshift.dialect import absent_commands
from sandbox.redshift.dialect.draft import Draft, Span
from sandbox.redshift.dialect.names import syntax_error

_BEFORE_ROW = " ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING"
_WHOLE_PARTITION = " ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING"


def function_of(draft: Draft, over: int) -> int:
    """Where the name of the function stands to which this OVER belongs."""
    last = over - 1
    if draft.word(last) == "nulls":
        last -= 2
    opening = draft.opening(last)
    if draft.words_at(opening - 2, "within", "group"):
        opening = draft.opening(opening - 3)
    return opening - 1


def is_window(draft: Draft, over: int) -> bool:
    """Whether the OVER at this place has a window behind it and a call before it."""
    behind_call = draft.is_operator(over - 1, ")") or draft.word(over - 1) == "nulls"
    return behind_call and draft.is_operator(over + 1, "(")


def window_items(draft: Draft, over: int) -> tuple[list[Span], list[Span], int | None]:
    """What PARTITION BY and ORDER BY list in this OVER, and where its frame begins."""
    first, last = over + 2, draft.closing(over + 1) - 1
    level = list(draft.same_level(first, last))
    places = {word: at for at in reversed(level) if (word := draft.word(at)) in ("partition", "order")}
    frame = next((at for at in level if _is_frame(draft, at)), None)
    end = frame - 1 if frame is not None else last
    order = places.get("order")
    partition = places.get("partition")
    ordered = draft.split(order + 2, end) if order is not None else []
    until = order - 1 if order is not None else end
    return (draft.split(partition + 2, until) if partition is not None else []), ordered, frame


def _is_frame(draft: Draft, index: int) -> bool:
    starts = draft.word(index + 1) in ("between", "unbounded", "current")
    counted = draft.word(index + 2) in ("preceding", "following")
    return draft.word(index) in ("rows", "range", "groups") and (starts or counted)


def _over_behind(draft: Draft, index: int) -> int | None:
    return index if draft.word(index) == "over" and draft.is_operator(index + 1, "(") else None


def _take_nulls(draft: Draft, name: int) -> bool:
    """Take IGNORE NULLS or RESPECT NULLS away, inside the parentheses or behind them; tell which it was."""
    closing = draft.closing(name + 1)
    for at in (closing - 2, closing + 1):
        if draft.word(at) in ("ignore", "respect") and draft.word(at + 1) == "nulls":
            draft.remove(at, at + 1)
            return draft.word(at) == "ignore"
    return False


def value_of_row(draft: Draft, name: int) -> None:
    """``FIRST_VALUE(value) [IGNORE | RESPECT NULLS] OVER (…)``, LAST_VALUE, NTH_VALUE."""
    if _take_nulls(draft, name):
        draft.replace(name, f"pg_internal.{draft.word(name)}")


def neighbour(draft: Draft, name: int) -> None:
    """``LAG(value [, offset]) [IGNORE | RESPECT NULLS] OVER (… ORDER BY …)``, LEAD."""
    if not _take_nulls(draft, name):
        return
    closing = draft.closing(name + 1)
    over = closing + 3 if draft.word(closing + 2) == "nulls" else closing + 1
    if _over_behind(draft, over) is None:
        raise syntax_error(draft, over)
    offset = _offset(draft, name)
    if offset == 0:
        return
    draft.replace(name, f"pg_internal.{draft.word(name)}")
    _, ordered, _ = window_items(draft, over)
    if draft.word(name) == "lead":
        for item in ordered:
            _reverse(draft, item)
    draft.after(draft.closing(over + 1) - 1, _BEFORE_ROW)


def _offset(draft: Draft, name: int) -> int:
    """The offset, a constant; 1 without one. One of 1 is taken away."""
    arguments = draft.arguments(name + 1)
    if len(arguments) < 2:
        return 1
    text = draft.render(arguments[1]).strip()
    if not text.isdecimal():
        raise absent_commands.COMPUTED_OFFSET.refusal(
            f"{draft.word(name).upper()} with IGNORE NULLS and a computed offset"
        )
    if text == "1":
        draft.remove(arguments[1].first - 1, arguments[1].last)
    return int(text)


def _reverse(draft: Draft, item: Span) -> None:
    """Turn one item of an ORDER BY round; NULLs are last in ascending order and first in descending order."""
    last = item.last
    if draft.word(last) in ("first", "last") and draft.word(last - 1) == "nulls":
        draft.replace(last, "LAST" if draft.word(last) == "first" else "FIRST")
        last -= 2
    if draft.word(last) in ("asc", "desc"):
        draft.replace(last, "DESC" if draft.word(last) == "asc" else "ASC")
    else:
        draft.after(last, " DESC")


def median(draft: Draft, name: int) -> None:
    """``MEDIAN(value) [OVER (…)]``."""
    draft.replace(name, "pg_internal.median")
    draft.after(name + 1, "pg_internal.sample(")
    draft.before(draft.closing(name + 1), ", 0.5, false)")


def percentile(draft: Draft, name: int) -> None:
    """``PERCENTILE_CONT(number) WITHIN GROUP (ORDER BY value) [OVER (…)]``, PERCENTILE_DISC."""
    closing = draft.closing(name + 1)
    opening = closing + 3
    if not draft.words_at(closing + 1, "within", "group") or not draft.words_at(opening + 1, "order", "by"):
        raise syntax_error(draft, closing + 1, hint="Write WITHIN GROUP (ORDER BY …) behind it.")
    last = draft.closing(opening)
    items = draft.split(opening + 3, last - 1)
    if len(items) != 1:
        raise syntax_error(draft, items[0].last + 1 if items else last)
    item = items[0]
    descending = draft.word(item.last) == "desc"
    if draft.word(item.last) in ("asc", "desc"):
        item = Span(item.first, item.last - 1)
    number = draft.render(Span(name + 2, closing - 1))
    sample = f"pg_internal.sample({draft.render(item)}, {number}, {str(descending).lower()})"
    draft.rewrite(Span(name, last), f"pg_internal.{draft.word(name)}({sample})")


def listagg(draft: Draft, name: int) -> None:
    """``LISTAGG([DISTINCT] value [, delimiter]) [WITHIN GROUP (…)] [OVER (…)]``; '' and NULL are skipped."""
    arguments = draft.arguments(name + 1)
    if not arguments:
        return
    distinct = draft.word(arguments[0].first) == "distinct"
    value = draft.render(Span(arguments[0].first + distinct, arguments[0].last))
    delimiter = draft.render(arguments[1]) if len(arguments) > 1 else "''"
    last, order = draft.closing(name + 1), ""
    if draft.words_at(last + 1, "within", "group"):
        opening = last + 3
        last = draft.closing(opening)
        order = f" {draft.render(Span(opening + 1, last - 1))}"
    over = _over_behind(draft, last + 1)
    text = f"({value})::text"
    function, first = "pg_internal.listagg", text
    if distinct and (over or order):  # PostgreSQL's DISTINCT takes neither OVER nor another order
        function = "pg_internal.listagg_distinct"
    elif distinct:
        first = f"DISTINCT {text}"
    call = f"{function}({first}, {delimiter}{'' if over else order}) FILTER (WHERE {text} <> '')"
    if over:
        last = draft.closing(over + 1)
        window = draft.render(Span(over + 2, last - 1))
        call += f" OVER ({window}{order + _WHOLE_PARTITION if order else ''})"
    draft.rewrite(Span(name, last), f"pg_internal.listagg({call})")


def ratio_to_report(draft: Draft, name: int) -> None:
    """``RATIO_TO_REPORT(value) OVER (…)``."""
    closing = draft.closing(name + 1)
    if _over_behind(draft, closing + 1):
        value = draft.render(Span(name + 2, closing - 1))
        window = Span(closing + 1, draft.closing(closing + 2))
        text = f"(({value})::float8 / NULLIF(pg_catalog.sum({value}) {draft.render(window)}, 0)::float8)"
        draft.rewrite(Span(name, window.last), text)
