"""The COPY statement: written here only, with IAM_ROLE as the only kind of credentials."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sparkify.warehouse.sql import quote_columns, quote_literal, quote_table

_CREDENTIALS = re.compile(
    r"\b(ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|CREDENTIALS|IAM_ROLE)\b", re.IGNORECASE
)
# COPY changes values under these in silence. Of the first alone Redshift says in which rows.
REPLACING = "ACCEPTINVCHARS"
SILENT = ("TRUNCATECOLUMNS", "ACCEPTANYDATE")
# What says how a file or a value is read (Database Developer Guide, "Data conversion parameters" and "File
# compression parameters"). All others change which rows arrive, which the operator counts, or are arguments.
_READING = (
    *("TIMEFORMAT", "DATEFORMAT", "NULL", "ENCODING", "BLANKSASNULL", "EMPTYASNULL", "TRIMBLANKS", "ROUNDEC"),
    *("BZIP2", "LZOP", "ZSTD", REPLACING, *SILENT),
)
_VALUE = r"(?:\s+AS\b)?\s*(?:'(?:[^'\\]|\\.|'')*'|\bUTF\d+\w*\b)"
_READING_OPTIONS = re.compile(rf"(?:\s*\b(?:{'|'.join(_READING)})\b(?:{_VALUE})?)+\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CopyCommand:
    """One COPY from a manifest of JSON files.

    Args:
        table: the target.
        columns: its columns in the order of the jsonpaths file.
        manifest: address of the manifest.
        json: `auto`, `auto ignorecase`, or the address of a jsonpaths file.
        iam_role: `default`, or the ARN of a role the cluster may take.
        region: where the buckets are, if not in the cluster's own region.
        gzip: the files are compressed with gzip.
        max_errors: how many bad rows are passed over before the COPY fails.
        options: further COPY options as they are written in SQL.

    Raises:
        ValueError: an option carries credentials or changes which rows arrive, or the role is neither
            `default` nor an ARN.
    """

    table: str
    columns: Sequence[str]
    manifest: str
    json: str = "auto"
    iam_role: str = "default"
    region: str | None = None
    gzip: bool = False
    max_errors: int = 0
    options: Sequence[str] = ()

    def __post_init__(self) -> None:
        check_options(self.options)
        if not 0 <= self.max_errors < 100_000:
            raise ValueError(
                f"max_errors is 0 to 99,999, what Redshift's MAXERROR can count: {self.max_errors}"
            )
        if self.iam_role != "default" and not self.iam_role.startswith("arn:"):
            raise ValueError(f"iam_role is neither 'default' nor the ARN of a role: {self.iam_role!r}")

    @property
    def sql(self) -> str:
        """The statement."""
        role = "default" if self.iam_role == "default" else quote_literal(self.iam_role)
        lines = [
            f"COPY {quote_table(self.table)} ({quote_columns(self.columns)})",
            f"FROM {quote_literal(self.manifest)}",
            f"IAM_ROLE {role}",
            f"FORMAT AS JSON {quote_literal(self.json)}",
            "MANIFEST",
        ]
        if self.gzip:
            lines.append("GZIP")
        if self.region:
            lines.append(f"REGION {quote_literal(self.region)}")
        if self.max_errors:
            # COPY fails as soon as it has counted MAXERROR errors, so tolerating n takes n + 1.
            lines.append(f"MAXERROR {self.max_errors + 1}")
        # The target is a new temp table: sampling it for encodings and statistics is time for nothing.
        lines += ["COMPUPDATE OFF", "STATUPDATE OFF", *self.options]
        return "\n".join(lines)


def check_options(options: Sequence[str]) -> None:
    """Refuse COPY options that are not about how a value is read.

    What a load counts cannot be switched off behind it: under MAXERROR, IGNOREALLERRORS, NOLOAD or
    IGNOREHEADER rows would be missing in a load that says it has lost none.

    Raises:
        ValueError: the message names the option and says what may stand there.
    """
    for option in options:
        if _CREDENTIALS.search(option):
            raise ValueError(f"COPY takes its credentials from iam_role only, not from the option {option!r}")
        if not _READING_OPTIONS.fullmatch(option):
            raise ValueError(
                f"The COPY option {option!r} is refused: copy_options say how values are read, and not which "
                "rows arrive (for that there are max_errors, gzip, json, region). "
                f"Known options: {', '.join(_READING)}."
            )
