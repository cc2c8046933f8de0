"""The parameters of COPY, in any order; what is not known here is an error, never ignored."""

from dataclasses import dataclass

from sandbox.redshift.copy.conversion.formats import format_parser
from sandbox.redshift.copy.credentials import Authorization
from sandbox.redshift.copy.errors import FEATURE_NOT_SUPPORTED, INVALID_PARAMETER, CopyError
from sandbox.redshift.copy.format_options import TEXT_FLAGS, character, check_options
from sandbox.redshift.copy.option_reader import OptionReader, conflict
from sandbox.redshift.copy.tokens import TokenStream

_FLAGS = {
    "MANIFEST": "manifest",
    "TRUNCATECOLUMNS": "truncate_columns",
    "TRIMBLANKS": "trim_blanks",
    "BLANKSASNULL": "blanks_as_null",
    "EMPTYASNULL": "empty_as_null",
    "ACCEPTANYDATE": "accept_any_date",
    "ROUNDEC": "round_decimals",
    "NOLOAD": "no_load",
    "EXPLICIT_IDS": "explicit_ids",
    "IGNOREALLERRORS": "ignore_all_errors",
    "SERIALIZETOJSON": "serialize_to_json",
    **TEXT_FLAGS,
}
_ENCODINGS = {"UTF8": "utf-8", "UTF16": "utf-16", "UTF16LE": "utf-16-le", "UTF16BE": "utf-16-be"}
# What COPY has and the sandbox has not, with what to do instead and the guide's page.
NOT_HERE = (
    (
        ("LZOP",),
        "Compress the files with GZIP, BZIP2 or ZSTD: there is no library that reads LZOP.",
        "copy-parameters-file-compression",
    ),
    (
        ("ORC", "AVRO", "SHAPEFILE", "RCFILE", "SEQUENCEFILE", "SIMPLIFY"),
        "The sandbox loads delimited text, CSV, fixed-width text, JSON and Parquet.",
        "copy-parameters-data-format",
    ),
    (
        ("ENCRYPTED", "MASTER_SYMMETRIC_KEY", "KMS_KEY_ID"),
        "Load files that the client has not encrypted.",
        "copy-parameters-data-source-s3",
    ),
    (("SSH", "READRATIO"), "Put the data into files in S3.", "copy-parameters-data-source"),
    (("JOB", "FILLTARGET"), "Run COPY when there are new files, without this option.", "r_COPY"),
)
_HINTS = {word: hint for words, hint, _ in NOT_HERE for word in words}


@dataclass(frozen=True)
class Options:
    """What a COPY says beside its target, source and authorization.

    Args:
        json: Of JSON: 'auto', 'auto ignorecase' or the address of a jsonpaths file.
        region: Region of the buckets, or None for the cluster's.
        compression: 'GZIP', 'BZIP2', 'ZSTD' or None.
        time_format: None (the default), 'auto', 'epochsecs', 'epochmillisecs' or a format string.
        date_format: None (the default), 'auto' or a format string.
        max_error: Errors at which the load fails; 0 and 1 both mean the first.
        accept_invalid_chars: Replacement of bytes that are no character; '' rejects them all, None only what
            is not UTF-8.
        encoding: Python's name of the files' encoding.
        ignore_header: Lines skipped at the start of each file.
        data_format: 'JSON', 'TEXT' (delimited), 'CSV', 'FIXEDWIDTH' or 'PARQUET'.
        delimiter: The character between fields, None for the format's.
        null_as: What stands for NULL in a file, None for the default.
        fixed_width: The width of each column in characters.
    """

    json: str = ""
    region: str | None = None
    manifest: bool = False
    compression: str | None = None
    time_format: str | None = None
    date_format: str | None = None
    max_error: int = 0
    ignore_all_errors: bool = False
    truncate_columns: bool = False
    trim_blanks: bool = False
    blanks_as_null: bool = False
    empty_as_null: bool = False
    accept_invalid_chars: str | None = None
    accept_any_date: bool = False
    round_decimals: bool = False
    encoding: str = "utf-8"
    no_load: bool = False
    explicit_ids: bool = False
    ignore_header: int = 0
    comp_update: str | None = None
    stat_update: str | None = None
    comp_rows: int | None = None
    data_format: str = "JSON"
    delimiter: str | None = None
    quote: str = '"'
    escape: bool = False
    remove_quotes: bool = False
    null_as: str | None = None
    fill_record: bool = False
    ignore_blank_lines: bool = False
    fixed_width: tuple[int, ...] = ()
    serialize_to_json: bool = False


def parse_options(stream: TokenStream) -> tuple[Authorization, Options]:
    """Read everything behind the source.

    Raises:
        CopyError: An option is unknown, repeated, contradictory, malformed or not supported here.
    """
    found = _CopyOptions(stream)
    found.read()
    return found.authorization(), found.options()


class _CopyOptions(OptionReader):
    """The options of a COPY read so far."""

    command = "COPY"
    flags = _FLAGS
    not_here = _HINTS

    def __init__(self, stream: TokenStream) -> None:
        super().__init__(stream)
        self._readers |= {
            "QUOTE": lambda: self._set("quote", character(stream, "QUOTE"), "QUOTE"),
            "TIMEFORMAT": lambda: self._time_format("TIMEFORMAT", "time_format"),
            "DATEFORMAT": lambda: self._time_format("DATEFORMAT", "date_format"),
            "MAXERROR": lambda: self._number("MAXERROR", "max_error", 0, 100_000),
            "IGNOREHEADER": lambda: self._number("IGNOREHEADER", "ignore_header", 0, 2**31 - 1),
            "COMPROWS": lambda: self._number("COMPROWS", "comp_rows", 1000, 2**31 - 1),
            "COMPUPDATE": lambda: self._switch("COMPUPDATE", "comp_update", "PRESET"),
            "STATUPDATE": lambda: self._switch("STATUPDATE", "stat_update"),
            "ACCEPTINVCHARS": self._accept_invalid_chars,
            "ENCODING": self._encoding,
        }

    def options(self) -> Options:
        self._values.setdefault("data_format", "TEXT")
        check_options(self._values)
        if "max_error" in self._values and "ignore_all_errors" in self._values:
            raise conflict("MAXERROR and IGNOREALLERRORS exclude each other.")
        return Options(**self._values)

    def _number(self, option: str, name: str, low: int, high: int) -> None:
        self._stream.accept("AS")
        self._set(name, self._stream.number(option, low, high), option)

    def _switch(self, option: str, name: str, *more: str) -> None:
        # Without an argument both switches mean ON.
        self._set(name, self._stream.accept("ON", "OFF", "TRUE", "FALSE", *more) or "ON", option)

    def _fixed_width(self) -> None:
        self._set("data_format", "FIXEDWIDTH", "FORMAT")
        super()._fixed_width()

    def _json(self) -> None:
        self._stream.accept("AS")
        text = self._stream.optional_string()
        mapping = "auto" if text is None else text
        if mapping == "noshred":
            raise CopyError(FEATURE_NOT_SUPPORTED, "JSON 'noshred' is not supported by the sandbox")
        if mapping not in {"auto", "auto ignorecase"} and not mapping.startswith("s3://"):
            raise CopyError(
                INVALID_PARAMETER,
                f"Invalid JSON option '{mapping}'",
                hint="JSON takes 'auto', 'auto ignorecase' or the address of a jsonpaths file, 's3://bucket/key'.",
            )
        super()._json()
        self._set("json", mapping, "JSON")

    def _time_format(self, option: str, name: str) -> None:
        text = self._text(option)
        keywords = {"auto", "epochsecs", "epochmillisecs"} if option == "TIMEFORMAT" else {"auto"}
        if text not in keywords:
            _check_format(option, text)
        self._set(name, text, option)

    def _accept_invalid_chars(self) -> None:
        self._stream.accept("AS")
        text = self._stream.optional_string()
        text = "?" if text is None else text
        if len(text) != 1 or not text.isascii() or text == "\0":
            raise CopyError(INVALID_PARAMETER, "ACCEPTINVCHARS takes one ASCII character other than NUL")
        self._set("accept_invalid_chars", text, "ACCEPTINVCHARS")

    def _encoding(self) -> None:
        self._stream.accept("AS")
        name = (self._stream.optional_string() or self._stream.take().text).upper()
        if name not in _ENCODINGS:
            raise CopyError(INVALID_PARAMETER, f"ENCODING {name} is none of {', '.join(_ENCODINGS)}")
        self._set("encoding", _ENCODINGS[name], "ENCODING")

    def _unsupported(self, word: str) -> CopyError:
        if word == "READRATIO" and self._values.get("data_format") == "JSON":
            return CopyError(FEATURE_NOT_SUPPORTED, f"{word} argument is not supported for JSON based COPY")
        return super()._unsupported(word)


def _check_format(option: str, text: str) -> None:
    try:
        format_parser(text)
    except ValueError as error:
        raise CopyError(INVALID_PARAMETER, f"Invalid {option}: {error}") from error
