"""What PostgreSQL would take between OVER's parentheses, or behind WITHIN GROUP, and Redshift does not.

A part of the table of refusals.
"""

from sandbox.redshift.dialect.draft import Draft
from sandbox.redshift.dialect.refusal_rule import Rule
from sandbox.redshift.dialect.windows import function_of, is_window, window_items
from sandbox.redshift.sql.tokens import words

_NEIGHBOURS = words("lag lead")
_SET_OPERATORS = words("union intersect except minus")
_OF_PARTITIONS = words("listagg median percentile_cont percentile_disc")


def _default(draft: Draft, index: int) -> int | None:
    """``LAG(a, 1, 0) OVER (…)``: the name of the function."""
    name = function_of(draft, index) if is_window(draft, index) else -1
    has_default = draft.word(name) in _NEIGHBOURS and len(draft.arguments(name + 1)) > 2
    return name if has_default else None


def _frame(draft: Draft, index: int) -> int | None:
    """``LAG(a) OVER (… ROWS …)``, ``MEDIAN(a) OVER (ORDER BY …)``."""
    if not is_window(draft, index):
        return None
    function = draft.word(function_of(draft, index))
    _, ordered, frame = window_items(draft, index)
    if function in _OF_PARTITIONS and ordered:
        return ordered[0].first - 2
    return frame if function in _NEIGHBOURS | _OF_PARTITIONS else None


def _constant_partition(draft: Draft, index: int) -> int | None:
    """``OVER (PARTITION BY 1)``."""
    if not is_window(draft, index):
        return None
    items = window_items(draft, index)[0]
    constants = (
        item.first
        for item in items
        if item.first == item.last and draft.tokens[item.first].kind in ("string", "number")
    )
    return next(constants, None)


def _two_orders(draft: Draft, index: int) -> int | None:
    """Aggregates of one query ordered in two ways; those with OVER are none."""
    orders: dict[int, str] = {}
    for at in range(index, len(draft)):
        text, last = _order_of(draft, at)
        level = draft.enclosing(at)
        if draft.word(at) in _SET_OPERATORS:
            orders.pop(level, None)  # another query begins
        if text is None or (draft.word(last + 1) == "over"):
            continue
        if orders.setdefault(level, text) != text:
            return at
    return None


def _order_of(draft: Draft, at: int) -> tuple[str | None, int]:
    """By what the aggregate at this place orders, if it does, and its last token."""
    if not draft.is_operator(at + 1, "("):
        return None, at
    last = draft.closing(at + 1)
    if draft.word(at) == "median":
        return _text(draft, at + 2, last - 1), last
    if draft.word(at) not in _OF_PARTITIONS or not draft.words_at(last + 1, "within", "group"):
        return None, last
    opening = last + 3
    return _text(draft, opening + 3, draft.closing(opening) - 1), draft.closing(opening)


def _text(draft: Draft, first: int, last: int) -> str:
    """An ORDER BY's list, without the ASC that means nothing."""
    return " ".join(draft.text(at).lower() for at in range(first, last + 1) if draft.word(at) != "asc")


TABLE = (
    Rule(
        "`LAG` and `LEAD` with a default",
        words("over"),
        _default,
        "r_WF_LAG, r_WF_LEAD; the error in github.com/tidyverse/dplyr/issues/962",
        "Write COALESCE around it.",
        "Default parameter not be supported for window function {word}",
        "0A000",
    ),
    Rule(
        "a frame behind `LAG`, `LEAD`, `LISTAGG`, `MEDIAN`, `PERCENTILE_CONT`, `PERCENTILE_DISC`,"
        " `ORDER BY` in the windows of the last four",
        words("over"),
        _frame,
        "r_WF_LAG, r_WF_LEAD, r_WF_LISTAGG, r_WF_MEDIAN, r_WF_PERCENTILE_CONT, r_WF_PERCENTILE_DISC",
        "LAG and LEAD take no frame, the others only PARTITION BY.",
    ),
    Rule(
        "a constant in `PARTITION BY`",
        words("over"),
        _constant_partition,
        "c_Window_functions; the error in github.com/metabase/metabase/issues/70088",
        "Leave it out: one partition is everything.",
        "constant expressions are not supported in partition by clauses",
        "0A000",
    ),
    Rule(
        "`LISTAGG`, `MEDIAN`, `PERCENTILE_CONT` of one query ordered in two ways",
        _OF_PARTITIONS,
        _two_orders,
        "r_PERCENTILE_CONT, r_MEDIAN, r_LISTAGG",
        "Use the same ORDER BY (MEDIAN's is its value), or two subqueries.",
        "within group ORDER BY clauses for aggregate functions must be the same",
        "0A000",
        once=True,
    ),
)
