"""What the data's format allows: which options go together, and the texts that stand for characters.

Rules are those of the guide's pages "Data format parameters", "Data conversion parameters" and "COPY from
columnar data formats".
"""

import re
from collections.abc import Mapping

from sandbox.redshift.copy.errors import FEATURE_NOT_SUPPORTED, INVALID_PARAMETER, SYNTAX_ERROR, CopyError
from sandbox.redshift.copy.tokens import TokenStream

TEXT_FLAGS = {
    "ESCAPE": "escape",
    "REMOVEQUOTES": "remove_quotes",
    "FILLRECORD": "fill_record",
    "IGNOREBLANKLINES": "ignore_blank_lines",
}
# The options by their names in `Options` that each format cannot have, with the words that Redshift uses.
_NOT_WITH_JSON = {
    "delimiter": "DELIMITER",
    "escape": "ESCAPE",
    "fill_record": "FILLRECORD",
    "ignore_blank_lines": "IGNOREBLANKLINES",
    "null_as": "NULL",
    "quote": "QUOTE",
    "remove_quotes": "REMOVEQUOTES",
}
_NOT_WITH_CSV = {"escape": "ESCAPE", "remove_quotes": "REMOVEQUOTES"}
_NOT_WITH_FIXEDWIDTH = {"delimiter": "DELIMITER", "escape": "ESCAPE"}
# "Only the following COPY parameters are supported": everything else is not.
_WITH_PARQUET = {
    *("accept_invalid_chars", "fill_record", "manifest", "stat_update", "explicit_ids", "data_format"),
    "serialize_to_json",
}
_NAMES = {
    "accept_any_date": "ACCEPTANYDATE",
    "comp_rows": "COMPROWS",
    "comp_update": "COMPUPDATE",
    "date_format": "DATEFORMAT",
    "ignore_all_errors": "IGNOREALLERRORS",
    "ignore_header": "IGNOREHEADER",
    "max_error": "MAXERROR",
    "no_load": "NOLOAD",
    "round_decimals": "ROUNDEC",
    "time_format": "TIMEFORMAT",
    "trim_blanks": "TRIMBLANKS",
    "truncate_columns": "TRUNCATECOLUMNS",
    "blanks_as_null": "BLANKSASNULL",
    "empty_as_null": "EMPTYASNULL",
    **_NOT_WITH_JSON,
}
_OCTAL = re.compile(r"\\([0-7]{1,3})")
_WIDTH = re.compile(r"\s*([^:,]+):\s*(\d{1,7})\s*")
# A Redshift table has up to 1,600 columns.
_MOST_WIDTHS = 1600


def check_options(values: Mapping[str, object]) -> None:
    """Make sure that the options go with the data's format.

    Args:
        values: The options given, by their names in `Options`.

    Raises:
        CopyError: One does not.
    """
    data_format = values.get("data_format", "TEXT")
    if data_format == "PARQUET":
        _check_parquet(values)
    elif data_format == "JSON":
        _refuse(values, _NOT_WITH_JSON, "{} argument is not supported for JSON based COPY")
    elif data_format == "CSV":
        _refuse(values, _NOT_WITH_CSV, "{} cannot be used with CSV", SYNTAX_ERROR)
    elif data_format == "FIXEDWIDTH":
        _refuse(values, _NOT_WITH_FIXEDWIDTH, "{} cannot be used with FIXEDWIDTH", SYNTAX_ERROR)
        _check_fixed_width(values)
    if "quote" in values and data_format != "CSV":
        raise CopyError(SYNTAX_ERROR, "QUOTE can be used only with CSV")
    if "serialize_to_json" in values and data_format != "PARQUET":
        raise CopyError(SYNTAX_ERROR, "SERIALIZETOJSON can be used only with PARQUET")
    if values.get("null_as") == "\n":
        raise CopyError(INVALID_PARAMETER, "NULL AS cannot be a newline, which ends a row")
    if data_format == "CSV" and values.get("quote", '"') == values.get("delimiter", ","):
        raise CopyError(INVALID_PARAMETER, "QUOTE and DELIMITER are the same character")


def character(stream: TokenStream, option: str) -> str:
    """The single ASCII character that is the argument of `option`; its escape may be escaped again.

    Raises:
        CopyError: It is something else.
    """
    stream.accept("AS")
    text = stream.special(option)
    octal = _OCTAL.fullmatch(text)
    text = chr(int(octal[1], 8)) if octal else {r"\t": "\t", r"\\": "\\"}.get(text, text)
    if len(text) != 1 or not text.isascii():
        raise CopyError(INVALID_PARAMETER, f"COPY {option.lower()} must be a single ASCII character")
    if text in "\r\n\0":
        raise CopyError(INVALID_PARAMETER, f"COPY {option.lower()} cannot be newline, carriage return or NUL")
    return text


def null_string(stream: TokenStream) -> str:
    """The argument of NULL AS, in which an escaped 0 or 000 is the character NUL."""
    stream.accept("AS")
    text = stream.special("NULL AS")
    return "\0" if text in (r"\0", r"\000") else text


def widths(text: str) -> tuple[int, ...]:
    """The columns' widths in characters from ``label:width, …``.

    Raises:
        CopyError: The text is not of this form.
    """
    pairs = [_WIDTH.fullmatch(pair) for pair in text.split(",")]
    found = tuple(int(pair[2]) for pair in pairs if pair)
    if len(found) != len(pairs) or 0 in found or len(found) > _MOST_WIDTHS:
        raise CopyError(
            INVALID_PARAMETER,
            f"Invalid FIXEDWIDTH specification '{text[:200]}'",
            hint="Write 'label:width,label:width,...', a pair for every column.",
        )
    return found


def _check_parquet(values: Mapping[str, object]) -> None:
    for name in values:
        # MAXERROR 0 is the default; dlt's Redshift destination, which is tested on clusters, writes it.
        if name in _WITH_PARQUET or (name == "max_error" and values[name] == 0):
            continue
        word = str(values[name]) if name == "compression" else _NAMES.get(name, name.upper())
        raise CopyError(FEATURE_NOT_SUPPORTED, f"{word} argument is not supported for PARQUET based COPY")


def _check_fixed_width(values: Mapping[str, object]) -> None:
    if values.get("encoding", "utf-8") != "utf-8":
        raise CopyError(INVALID_PARAMETER, "Fixed-width data files must use UTF-8 encoding")


def _refuse(
    values: Mapping[str, object], names: Mapping[str, str], text: str, sqlstate: str = FEATURE_NOT_SUPPORTED
) -> None:
    for name, word in names.items():
        if name in values:
            raise CopyError(sqlstate, text.format(word))
