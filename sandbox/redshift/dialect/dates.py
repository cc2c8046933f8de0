"""Date parts and the functions that take them."""

from sandbox.redshift.dialect.draft import Draft, Span
from sandbox.redshift.dialect.statement import Refusal

# Every name of a part (Redshift, "Date parts for date or timestamp functions") -> its canonical name.
_PARTS = {
    alias: part
    for part, aliases in {
        "millennium": "millennia mil mils",
        "century": "centuries c cent cents",
        "decade": "decades dec decs",
        "epoch": "",
        "year": "years y yr yrs",
        "quarter": "quarters qtr qtrs",
        "month": "months mon mons",
        "week": "weeks w",
        "dow": "dayofweek dw weekday",
        "doy": "dayofyear dy yearday",
        "day": "days d",
        "hour": "hours h hr hrs",
        "minute": "minutes m min mins",
        "second": "seconds s sec secs",
        "millisecond": "milliseconds ms msec msecs msecond mseconds millisec millisecs millisecon",
        "microsecond": "microseconds microsec microsecs usecond useconds us usec usecs",
        "timezone": "",
        "timezone_hour": "",
        "timezone_minute": "",
    }.items()
    for alias in (part, *aliases.split())
}
_NOT_ADDED = frozenset(("epoch", "dow", "doy", "timezone", "timezone_hour", "timezone_minute"))


def dateadd(draft: Draft, name: int) -> None:
    """``DATEADD(part, n, moment)``."""
    arguments = draft.arguments(name + 1)
    if len(arguments) == 3:
        draft.replace(name, "pg_internal.date_add")
        _quote_part(draft, arguments[0], added=True)
        _as_timestamp(draft, arguments[2])


def datediff(draft: Draft, name: int) -> None:
    """``DATEDIFF(part, since, until)``."""
    arguments = draft.arguments(name + 1)
    if len(arguments) == 3:
        draft.replace(name, "pg_internal.date_diff")
        _quote_part(draft, arguments[0], added=True)
        _as_timestamp(draft, arguments[1])
        _as_timestamp(draft, arguments[2])


def date_part(draft: Draft, name: int) -> None:
    """``DATE_PART(part, moment)``; Redshift calls its column pgdate_part.

    AWS's own scripts (awslabs/amazon-redshift-utils) call it DATEPART, too.
    """
    arguments = draft.arguments(name + 1)
    if len(arguments) == 2:
        draft.replace(name, "pg_internal.pgdate_part")
        _quote_part(draft, arguments[0])
        _as_timestamp(draft, arguments[1])


def extract(draft: Draft, name: int) -> None:
    """``EXTRACT(part FROM moment)``; Redshift calls its column date_part."""
    if draft.word(name + 3) == "from":
        draft.replace(name, "pg_internal.date_part")
        _quote_part(draft, Span(name + 2, name + 2))
        draft.replace(name + 3, ",")
        _as_timestamp(draft, Span(name + 4, draft.closing(name + 1) - 1))


def date_trunc(draft: Draft, name: int) -> None:
    """``DATE_TRUNC('part', moment)``."""
    arguments = draft.arguments(name + 1)
    if len(arguments) == 2:
        _as_timestamp(draft, arguments[1])


def _quote_part(draft: Draft, span: Span, *, added: bool = False) -> None:
    written = draft.text(span.first).strip("'").lower() if span.first == span.last else draft.render(span)
    part = _PARTS.get(written)
    if part is None or (added and part in _NOT_ADDED):
        raise Refusal(f'unknown date part "{written}"', "22023", hint="Date parts: day, hour, week, month, …")
    draft.replace(span.first, f"'{part}'")


def _as_timestamp(draft: Draft, span: Span) -> None:
    """Redshift takes an untyped literal for a timestamp, PostgreSQL for one with time zone."""
    if span.first == span.last and draft.tokens[span.first].kind in ("string", "parameter"):
        draft.after(span.first, "::timestamp")
