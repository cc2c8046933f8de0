"""CHAR, VARCHAR and SUPER."""

import re

from sandbox.redshift.copy.conversion.values import NULL, Converter, invalid_utf8, json_text, number_text
from sandbox.redshift.copy.errors import ConversionError
from sandbox.redshift.copy.options import Options

MAX_VARCHAR = 65535
# Characters that PostgreSQL's COPY text format escapes.
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
# A NUL cannot be stored; a lone surrogate is a byte that was not UTF-8 (surrogateescape) or half a \u pair.
_INVALID = re.compile("\0|[\udc80-\udcff]+|[\ud800-\udfff]")
# "Valid UTF-8 … However, these code points are not valid characters" (multibyte character load errors): they
# load as they are, but for ACCEPTINVCHARS.
_LAST_OF_PLANES = "".join(f"{chr(end)}{chr(end + 1)}" for end in range(0xFFFE, 0x110000, 0x10000))
_REPLACEABLE = re.compile(f"{_INVALID.pattern}|[\ufdd0-\ufdef{_LAST_OF_PLANES}]")
_NOT_CHAR = re.compile("\0|[\udc80-\udcff]+|[^\x01-\x7f]")
_NUL_ESCAPE = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def varchar_converter(length: int | None, options: Options) -> Converter:
    """A converter to VARCHAR(length): lengths are bytes of UTF-8."""
    return _text_converter(
        length or MAX_VARCHAR, options, "String length exceeds DDL length", ascii_only=False
    )


def char_converter(length: int | None, options: Options) -> Converter:
    """A converter to CHAR(length): single-byte characters only."""
    return _text_converter(length or 1, options, "Char length exceeds DDL length", ascii_only=True)


def super_converter() -> Converter:
    """A converter to SUPER, which the sandbox keeps as JSON."""

    def convert(value: object) -> str:
        if value is None:
            return NULL
        text = json_text([value])[1:-1]
        # JSON of ASCII alone holds nothing that is no UTF-8, and its NULs are escaped.
        invalid = None if text.isascii() else _INVALID.search(text)
        if invalid or (r"\u0000" in text and _NUL_ESCAPE.search(text)):
            raise invalid_utf8(_bytes(invalid) if invalid else b"\0")
        return text.translate(_ESCAPES)

    return convert


def _text_converter(limit: int, options: Options, too_long: str, *, ascii_only: bool) -> Converter:
    # So many characters fit a VARCHAR, however many bytes each one takes; a CHAR takes single-byte ones only.
    surely_fits = 0 if ascii_only else limit // 4

    def convert(value: object) -> str:
        if value is None:
            return NULL
        text = value if type(value) is str else number_text(value)
        fits = len(text) <= (limit if text.isascii() else surely_fits)
        # Most texts are short, printable and hold no backslash: nothing more to check, nothing to escape.
        if fits and text.isprintable() and "\\" not in text:
            return text
        return checked(text).translate(_ESCAPES)

    def checked(text: str) -> str:
        text = _ascii(text) if ascii_only else _utf8(text, options.accept_invalid_chars)
        encoded = text.encode()
        if len(encoded) <= limit:
            return text
        if not options.truncate_columns:
            raise ConversionError(1204, too_long)
        # An incomplete character at the cut is dropped.
        return encoded[:limit].decode(errors="ignore")

    rewrites = options.empty_as_null or options.blanks_as_null or options.trim_blanks
    return _rewriting(convert, options) if rewrites else convert


def _rewriting(convert: Converter, options: Options) -> Converter:
    """`convert` behind EMPTYASNULL, BLANKSASNULL and TRIMBLANKS."""

    def convert_rewritten(value: object) -> str:
        if isinstance(value, str):
            if (options.empty_as_null and not value) or (options.blanks_as_null and value.isspace()):
                return NULL
            if options.trim_blanks:
                return convert(value.rstrip())
        return convert(value)

    return convert_rewritten


def _utf8(text: str, replacement: str | None) -> str:
    """`text` with what is no character replaced: a sequence of bytes by as many replacements."""
    pattern = _INVALID if replacement is None else _REPLACEABLE
    invalid = pattern.search(text)
    if invalid is None:
        return text
    if not replacement:
        raise invalid_utf8(_bytes(invalid))
    return pattern.sub(lambda match: replacement * len(_bytes(match)), text)


def _ascii(text: str) -> str:
    """`text` if a CHAR can hold its characters."""
    invalid = _NOT_CHAR.search(text)
    if invalid is None:
        return text
    # Two spaces after "using": so Redshift writes it.
    reason = "Multibyte character not supported for CHAR (Hint: Try using  VARCHAR). Invalid char: "
    raise ConversionError(1220, reason + _bytes(invalid).hex(" "))


def _bytes(match: re.Match[str]) -> bytes:
    try:
        return match.group().encode(errors="surrogateescape")
    except UnicodeEncodeError:
        return match.group().encode(errors="surrogatepass")
