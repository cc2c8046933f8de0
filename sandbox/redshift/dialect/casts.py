"""CAST, TRY_CAST, CONVERT and ``::``: types that differ, and conversions that may fail."""

import re
from decimal import ROUND_HALF_UP, Context, Decimal

from sandbox.redshift.dialect.draft import Draft, Span
from sandbox.redshift.dialect.names import syntax_error
from sandbox.redshift.dialect.statement import Refusal
from sandbox.redshift.sql.tokens import words

CASTS = words("cast try_cast")
UNSIZED_DECIMAL = words("decimal numeric")
_NUMBER = re.compile(r"(?P<number>[0-9]*\.(?P<places>[0-9]+))")
_NUMBER_OR_TEXT = re.compile(rf"'?-?{_NUMBER.pattern}'?")
_DIGITS = Context(prec=1000)
_WHOLE = words("smallint int2 integer int int4 bigint int8")
_TEXTS = words("varchar nvarchar text bpchar char character nchar national")


def is_cast(draft: Draft, index: int) -> bool:
    """Whether the AS at this place is a cast's."""
    opening = draft.enclosing(index)
    return opening > 0 and draft.word(opening - 1) in CASTS


def cast_type(draft: Draft, index: int, value: Span | None = None) -> None:
    """Rewrite the type that a cast names at this place.

    Args:
        draft: The statement.
        index: Where the type stands.
        value: What is cast; None: what stands before ``::`` or AS.
    """
    word = draft.word(index)
    sized = draft.is_operator(index + 1, "(")
    if word in UNSIZED_DECIMAL:
        given = [draft.render(item) for item in draft.arguments(index + 1)] if sized else []
        size = decimal_size(given)
        if not sized:
            draft.after(index, f"({size})")
        _round_literal(draft, _literal(draft, index - 1, value), int(size.partition(",")[2]), _NUMBER_OR_TEXT)
    elif word in _WHOLE:
        _round_literal(draft, _literal(draft, index - 1, value), 0, _NUMBER)
    elif word == "nvarchar":
        draft.replace(index, "varchar")
    if sized and draft.word(index + 2) == "max":
        draft.replace(index + 2, "65535")


def decimal_size(arguments: list[str]) -> str:
    """Precision and scale of a DECIMAL; Redshift's defaults, not PostgreSQL's, where none are given.

    "The default precision, if not specified, is 18. The maximum precision is 38", "the maximum scale is 37"
    (Numeric types).

    Raises:
        Refusal: Redshift has no such DECIMAL.
    """
    if not all(argument.isdigit() for argument in arguments):
        raise Refusal(f"invalid precision of type numeric: {', '.join(arguments)}", "22023")
    precision = int(arguments[0]) if arguments else 18
    scale = int(arguments[1]) if len(arguments) > 1 else 0
    if not 1 <= precision <= 38:
        raise Refusal(f"NUMERIC precision {precision} must be between 1 and 38", "22023")
    if scale > min(precision, 37):
        raise Refusal(f"NUMERIC scale {scale} must be between 0 and precision {precision}", "22023")
    return f"{precision},{scale}"


def _round_literal(draft: Draft, literal: int, places: int, form: re.Pattern[str]) -> None:
    """Round a literal that is cast alone: ``CAST(109.652 AS DECIMAL(4,1))`` is 109.7 (CAST).

    A cast cuts what comes from tables (01_numbers.sql).
    """
    found = form.fullmatch(draft.text(literal))
    if found and len(found["places"]) > places:
        number = Decimal(found["number"]).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, _DIGITS)
        draft.replace(literal, draft.text(literal).replace(found["number"], str(number)))


def _literal(draft: Draft, cast: int, value: Span | None) -> int:
    """Where the last token of what is cast stands, if it may be a literal alone; else -1."""
    last = value.last if value else cast - 1
    first = last - 1 if draft.text(last - 1) in ("-", "+") else last
    if value:
        return last if value.first == first else -1
    return last if draft.is_operator(cast, "::") or draft.word(first - 2) == "cast" else -1


def convert(draft: Draft, name: int) -> None:
    """``CONVERT(type, value)``."""
    arguments = draft.arguments(name + 1)
    if len(arguments) == 2:
        cast_type(draft, arguments[0].first, arguments[1])
        type_, value = map(draft.render, arguments)
        draft.rewrite(Span(name, draft.closing(name + 1)), f"CAST({value} AS {type_})")


def try_cast(draft: Draft, name: int) -> None:
    """``TRY_CAST(value AS type)``: NULL where it fails (r_TRY_CAST); a text always takes the value."""
    closing = draft.closing(name + 1)
    level = draft.same_level(name + 2, closing - 1)
    as_ = next((at for at in level if draft.word(at) == "as"), None)
    if as_ is None or as_ + 1 >= closing:
        raise syntax_error(draft, closing)
    if draft.word(as_ + 1) in _TEXTS:
        draft.replace(name, "cast")
        return
    value = draft.render(Span(name + 2, as_ - 1))
    target = draft.render(Span(as_ + 1, closing - 1))
    text = f"pg_internal.try_cast({value}, NULL::{target})"
    if draft.word(as_ + 1) in UNSIZED_DECIMAL:
        digits, places = _precision(draft, as_ + 1)
        text = f"pg_internal.fitting({text}, {digits}, {places})"
    draft.rewrite(Span(name, closing), f"CAST({text} AS {target})")


def _precision(draft: Draft, index: int) -> tuple[str, str]:
    if not draft.is_operator(index + 1, "("):
        return "18", "0"
    given = [draft.render(item) for item in draft.arguments(index + 1)]
    return given[0], given[1] if len(given) > 1 else "0"
