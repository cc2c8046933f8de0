"""An UNLOAD ('…') TO 's3://…' statement as a value, by the guide's page "UNLOAD"."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.redshift.copy.credentials import Authorization
from sandbox.redshift.copy.errors import FEATURE_NOT_SUPPORTED, INVALID_PARAMETER, SYNTAX_ERROR, CopyError
from sandbox.redshift.copy.option_reader import OptionReader
from sandbox.redshift.copy.tokens import TokenStream
from sandbox.redshift.sql.tokens import Token

_FLAGS = {
    "HEADER": "header",
    "ADDQUOTES": "add_quotes",
    "ESCAPE": "escape",
    "ALLOWOVERWRITE": "allow_overwrite",
    "CLEANPATH": "clean_path",
}
_UNITS = {"MB": 1024**2, "GB": 1024**3}
_LEAST_FILE, _LARGEST_FILE = 5 * 1024**2, int(6.2 * 1024**3)
_SIZE = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)(MB|GB)?", re.IGNORECASE)
# "You can't use …": the page's paragraphs on the formats, HEADER, DELIMITER, FIXEDWIDTH and CLEANPATH.
_EXCLUDED = {
    "CSV": ("fixed_width", "add_quotes", "escape"),
    "PARQUET": ("delimiter", "fixed_width", "add_quotes", "escape", "null_as", "header", "compression"),
    "JSON": ("delimiter", "header", "fixed_width", "add_quotes", "escape", "null_as"),
    "FIXEDWIDTH": ("delimiter", "header", "add_quotes", "escape"),
}
_WORDS = {"fixed_width": "FIXEDWIDTH", "add_quotes": "ADDQUOTES", "null_as": "NULL AS"}


@dataclass(frozen=True)
class UnloadOptions:
    """What an UNLOAD says beside its query, place and authorization.

    Args:
        data_format: 'TEXT', 'CSV', 'FIXEDWIDTH', 'JSON' or 'PARQUET'.
        delimiter: The character between fields, None for the format's.
        null_as: What stands for NULL, None for the format's.
        fixed_width: The width of each column in characters.
        compression: 'GZIP', 'BZIP2', 'ZSTD' or None.
        manifest: 'MANIFEST', 'VERBOSE' or None.
        parallel: Whether files are named for slices.
        max_file_size: Bytes at which the next file begins.
        partition_by: The columns whose values name folders.
        include: Those columns stay in the files.
        extension: What is put behind every file's name.
        region: The bucket's, or None for the cluster's.
        encrypted: 'ENCRYPTED', 'AUTO' for the bucket's default, or None.
    """

    data_format: str = "TEXT"
    delimiter: str | None = None
    null_as: str | None = None
    fixed_width: tuple[int, ...] = ()
    header: bool = False
    add_quotes: bool = False
    escape: bool = False
    compression: str | None = None
    manifest: str | None = None
    allow_overwrite: bool = False
    clean_path: bool = False
    parallel: bool = True
    max_file_size: int = _LARGEST_FILE
    partition_by: tuple[str, ...] = ()
    include: bool = False
    extension: str | None = None
    region: str | None = None
    row_group_size: int | None = None
    encrypted: str | None = None


@dataclass(frozen=True)
class UnloadCommand:
    """What one UNLOAD statement asks for.

    Args:
        query: The text between the parentheses.
        location: ``s3://bucket/prefix``.
        authorization: How S3 is to be written.
        options: Every other parameter.
    """

    query: str
    location: str
    authorization: Authorization = field(repr=False)
    options: UnloadOptions


def read_unload(tokens: Sequence[Token], *, backslash_escapes: bool = True) -> UnloadCommand:
    """The command in the tokens of a statement that begins with UNLOAD.

    Args:
        tokens: The statement's, without a semicolon.
        backslash_escapes: Whether a backslash escapes in ordinary literals.

    Raises:
        CopyError: It has a syntax error, an unknown, repeated or contradictory option, or something that the
            sandbox does not support.
    """
    stream = TokenStream(tokens, backslash_escapes=backslash_escapes)
    stream.expect("UNLOAD")
    stream.expect("(")
    query = stream.string("UNLOAD")
    stream.expect(")")
    stream.expect("TO")
    location = _location(stream)
    found = _UnloadOptions(stream)
    found.read()
    return UnloadCommand(query, location, found.authorization(), found.options())


def _location(stream: TokenStream) -> str:
    location = stream.string("TO")
    if re.fullmatch(r"s3://[^/]+/.*", location, re.DOTALL) is None:
        raise CopyError(
            INVALID_PARAMETER,
            f"UNLOAD destination is not supported: '{location}'",
            hint="Give the files' address as 's3://bucket/prefix'.",
        )
    return location


class _UnloadOptions(OptionReader):
    """The options of an UNLOAD read so far."""

    command = "UNLOAD"
    flags = _FLAGS
    not_here = dict.fromkeys(
        ("KMS_KEY_ID", "MASTER_SYMMETRIC_KEY"),
        "The sandbox's S3 has no keys of AWS KMS, and nothing is encrypted by the client.",
    )

    def __init__(self, stream: TokenStream) -> None:
        super().__init__(stream)
        self._readers |= {
            "EXTENSION": lambda: self._set_text("EXTENSION", "extension"),
            "MANIFEST": lambda: self._set("manifest", stream.accept("VERBOSE") or "MANIFEST", "MANIFEST"),
            "ENCRYPTED": lambda: self._set("encrypted", stream.accept("AUTO") or "ENCRYPTED", "ENCRYPTED"),
            "PARALLEL": self._parallel,
            "PARTITION": self._partition_by,
            "MAXFILESIZE": lambda: self._size("MAXFILESIZE", "max_file_size", _LEAST_FILE, _LARGEST_FILE),
            "ROWGROUPSIZE": lambda: self._size("ROWGROUPSIZE", "row_group_size", 32 * 1024**2, 128 * 1024**2),
        }

    def authorization(self) -> Authorization:
        if "master_symmetric_key" in self._values.get("credentials", "").lower():
            raise CopyError(
                FEATURE_NOT_SUPPORTED, "UNLOAD with MASTER_SYMMETRIC_KEY is not supported by the sandbox"
            )
        return super().authorization()

    def options(self) -> UnloadOptions:
        if "fixed_width" in self._values and "data_format" not in self._values:
            self._values["data_format"] = "FIXEDWIDTH"
        _check(self._values)
        return UnloadOptions(**self._values)

    def _parallel(self) -> None:
        word = self._stream.accept("ON", "OFF", "TRUE", "FALSE") or "ON"
        self._set("parallel", word in {"ON", "TRUE"}, "PARALLEL")

    def _partition_by(self) -> None:
        self._stream.expect("BY")
        self._stream.expect("(")
        self._set("partition_by", self._stream.identifiers(), "PARTITION BY")
        if self._stream.accept("INCLUDE"):
            self._values["include"] = True

    def _size(self, option: str, name: str, low: int, high: int) -> None:
        self._stream.accept("AS")
        match = _SIZE.fullmatch(self._stream.peek().text)
        if match is None:
            raise self._stream.error(f"{option} takes a number of MB or GB")
        self._stream.take()
        unit = match[2] or self._stream.accept("MB", "GB") or "MB"
        size = int(float(match[1]) * _UNITS[unit.upper()])
        if not low <= size <= high:
            raise CopyError(
                INVALID_PARAMETER, f"{option} is {match[1]} {unit}; it must be between {_span(low, high)}"
            )
        self._set(name, size, option)


def _check(values: Mapping[str, Any]) -> None:
    data_format = values.get("data_format", "TEXT")
    for name in _EXCLUDED.get(data_format, ()):
        if name in values:
            word = values[name] if name == "compression" else _WORDS.get(name, name.upper())
            raise CopyError(SYNTAX_ERROR, f"{word} cannot be used with {data_format} in UNLOAD")
    if "clean_path" in values and "allow_overwrite" in values:
        raise CopyError(SYNTAX_ERROR, "CLEANPATH and ALLOWOVERWRITE exclude each other in UNLOAD")
    if "row_group_size" in values and data_format != "PARQUET":
        raise CopyError(SYNTAX_ERROR, "ROWGROUPSIZE can be used only with PARQUET in UNLOAD")
    names = values.get("partition_by", ())
    if len(set(names)) != len(names):
        raise CopyError(SYNTAX_ERROR, "PARTITION BY names a column twice")


def _span(low: int, high: int) -> str:
    return f"{low / _UNITS['MB']:g} MB and {high / _UNITS['GB']:.3g} GB"
