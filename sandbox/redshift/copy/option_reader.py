"""What COPY and UNLOAD read alike: options in any order; what is not known is an error, never ignored."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from sandbox.redshift.copy.credentials import Authorization, authorization
from sandbox.redshift.copy.errors import FEATURE_NOT_SUPPORTED, SYNTAX_ERROR, CopyError
from sandbox.redshift.copy.format_options import character, null_string, widths
from sandbox.redshift.copy.tokens import TokenStream

_COMPRESSIONS = {"GZIP", "BZIP2", "ZSTD"}
_KEYS = {"ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"}
_FORMATS = {"CSV", "JSON", "PARQUET", "FIXEDWIDTH", "DELIMITER"}


class OptionReader:
    """The options read so far, and how each is read; a statement's own come with its subclass.

    Args:
        stream: The statement, from its options on.
    """

    command: ClassVar[str]
    # The words that stand alone, with the names of their options.
    flags: ClassVar[Mapping[str, str]]
    # What Redshift has and the sandbox has not, with what to do instead.
    not_here: ClassVar[Mapping[str, str]]

    def __init__(self, stream: TokenStream) -> None:
        self._stream = stream
        self._values: dict[str, Any] = {}
        self._readers: dict[str, Callable[[], None]] = {
            "FORMAT": self._format,
            "CSV": lambda: self._set("data_format", "CSV", "FORMAT"),
            "JSON": self._json,
            "PARQUET": lambda: self._set("data_format", "PARQUET", "FORMAT"),
            "FIXEDWIDTH": self._fixed_width,
            "DELIMITER": lambda: self._set("delimiter", character(stream, "DELIMITER"), "DELIMITER"),
            "NULL": lambda: self._set("null_as", null_string(stream), "NULL AS"),
            "WITH": lambda: None,
            "IAM_ROLE": self._iam_role,
            "CREDENTIALS": lambda: self._set_text("CREDENTIALS", "credentials"),
            "REGION": lambda: self._set_text("REGION", "region"),
        }

    def read(self) -> None:
        """Read everything that is left of the statement.

        Raises:
            CopyError: An option is unknown, repeated, contradictory, malformed or not supported here.
        """
        while not self._stream.exhausted:
            self._read_one()

    def authorization(self) -> Authorization:
        """The one way of authorization among the options, which are without it from now on.

        Raises:
            CopyError: There is none, several, or a malformed one.
        """
        keys = {key: self._values.pop(key) for key in _KEYS if key in self._values}
        role = self._values.pop("iam_role", None)
        credentials = self._values.pop("credentials", None)
        default_role = self._values.pop("default_role", False)
        return authorization(role, credentials, keys, default_role=default_role)

    def _read_one(self) -> None:
        word = self._stream.keyword
        if word in self.not_here:
            raise self._unsupported(word)
        if word not in self._readers and word not in self.flags and word not in _KEYS | _COMPRESSIONS:
            raise self._stream.error(f"no option of {self.command} has this name")
        self._stream.take()
        if word in self.flags:
            self._set(self.flags[word], True, word)
        elif word in _KEYS:
            self._set_text(word, word)
        elif word in _COMPRESSIONS:
            self._set("compression", word, word)
        else:
            self._readers[word]()

    def _set(self, name: str, value: object, option: str) -> None:
        if name in self._values:
            raise conflict(f"{option} is given more than once, or twice in different words.")
        self._values[name] = value

    def _set_text(self, option: str, name: str) -> None:
        self._set(name, self._text(option), option)

    def _text(self, option: str) -> str:
        self._stream.accept("AS")
        return self._stream.string(option)

    def _format(self) -> None:
        self._stream.accept("AS")
        word = self._stream.keyword
        if word not in _FORMATS and word not in self.not_here:
            raise self._stream.error("FORMAT takes CSV, JSON or PARQUET")
        self._read_one()

    def _json(self) -> None:
        self._set("data_format", "JSON", "FORMAT")

    def _fixed_width(self) -> None:
        self._set("fixed_width", widths(self._text("FIXEDWIDTH")), "FIXEDWIDTH")

    def _iam_role(self) -> None:
        self._stream.accept("AS")
        if self._stream.accept("DEFAULT"):
            self._set("default_role", True, "IAM_ROLE")
        else:
            self._set("iam_role", self._stream.string("IAM_ROLE"), "IAM_ROLE")

    def _unsupported(self, word: str) -> CopyError:
        message = f"{self.command} with {word} is not supported by the sandbox"
        return CopyError(FEATURE_NOT_SUPPORTED, message, hint=self.not_here[word])


def conflict(detail: str) -> CopyError:
    """The error of options that exclude each other."""
    return CopyError(SYNTAX_ERROR, "conflicting or redundant options", detail)
