"""What can go wrong in a COPY: the whole command, one row of it, one value of a row; and what it mended."""

from dataclasses import dataclass, field

INTERNAL_ERROR = "XX000"
SYNTAX_ERROR = "42601"
FEATURE_NOT_SUPPORTED = "0A000"
INVALID_PARAMETER = "22023"


class CopyError(Exception):
    """A COPY that ends with an error, in the fields of an ErrorResponse.

    Args:
        sqlstate: Five characters; Redshift reports most load failures as XX000.
        message: The primary message (field M).
        detail: What clients show below it (field D).
        hint: What to do next (field H).
        reached_load: The load phase had begun, so `pg_last_copy_id()` counts this COPY.
    """

    def __init__(
        self,
        sqlstate: str,
        message: str,
        detail: str | None = None,
        hint: str | None = None,
        *,
        reached_load: bool = False,
    ) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate
        self.message = message
        self.detail = detail
        self.hint = hint
        self.reached_load = reached_load


class ConversionError(Exception):
    """A value that does not fit its column.

    Args:
        code: Load error code, as in Redshift's load error reference (1200 … 1224).
        reason: The text for ``err_reason``.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True)
class ErrorField:
    """A field of a rejected row as STL_LOADERROR_DETAIL shows it; `value` is None for NULL."""

    column: str
    column_type: str
    column_length: str
    value: str | None


@dataclass(frozen=True)
class FatalError:
    """One rejected row: what STL_LOAD_ERRORS and SYS_LOAD_ERROR_DETAIL say about it.

    `fields` are the row's fields up to and including the bad one.
    """

    file_name: str
    line_number: int
    code: int
    reason: str
    raw_line: str
    column: str = ""
    column_type: str = ""
    column_length: str = ""
    position: int = 0
    raw_value: str = ""
    fields: tuple[ErrorField, ...] = field(default=())


@dataclass(frozen=True)
class Replacement:
    """One loaded row with replaced characters: what SYS_COPY_REPLACEMENTS says about it.

    `column` is the first such column.
    """

    file_name: str
    line_number: int
    column: str
    raw_line: str


def storable(text: str) -> str:
    """`text` without what PostgreSQL cannot keep: NULs go, and what is no UTF-8 becomes a question mark."""
    return text.replace("\0", "").encode(errors="replace").decode()


def s3_error(message: str, *, context: str = "", hint: str | None = None) -> CopyError:
    """An error of reading S3, laid out as Redshift does (code 8001, SQLSTATE XX000).

    The layout was seen in public reports, e.g. github.com/apache/hop/issues/3469.
    """
    rule = "  " + "-" * 47
    detail = f"\n{rule}\n  error:  {message}\n  code:      8001\n  context:   {context}\n{rule}"
    return CopyError(INTERNAL_ERROR, message, detail, hint)


def load_failed(table: str) -> CopyError:
    """The error of a load with more bad rows than MAXERROR allows."""
    # Two spaces before "Check": Redshift writes them and clients match on them.
    message = f"Load into table '{table}' failed.  Check 'stl_load_errors' system table for details."
    return CopyError(INTERNAL_ERROR, message, reached_load=True)
