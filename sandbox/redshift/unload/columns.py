"""The columns of an UNLOAD's query, as PostgreSQL describes them."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.redshift.copy.errors import FEATURE_NOT_SUPPORTED, INVALID_PARAMETER, CopyError

_FIELD = struct.Struct("!ihihih")
# PostgreSQL's numbers of types: the names that Redshift has for them.
_NAMES = {
    16: "boolean",
    18: "character",
    19: "character varying",
    20: "bigint",
    21: "smallint",
    23: "integer",
    25: "character varying",
    114: "super",
    700: "real",
    701: "double precision",
    705: "character varying",
    1042: "character",
    1043: "character varying",
    1082: "date",
    1083: "time without time zone",
    1114: "timestamp without time zone",
    1184: "timestamp with time zone",
    1266: "time with time zone",
    1700: "numeric",
    3802: "super",
}
TEXTS = {"character", "character varying"}
NUMBERS = {"smallint", "integer", "bigint", "numeric", "real", "double precision"}
# The guide's page UNLOAD, "PARTITION BY clause".
_KEYS = {
    "smallint",
    "integer",
    "bigint",
    "numeric",
    "real",
    "boolean",
    *TEXTS,
    "date",
    "timestamp without time zone",
}


@dataclass(frozen=True)
class UnloadColumn:
    """One column of the query: its name, type and dimensions (length, or precision and scale)."""

    name: str
    type_name: str
    dimensions: tuple[int, ...] = ()


def read_columns(description: bytes) -> list[UnloadColumn]:
    """The columns in the body of a RowDescription message."""
    (count,) = struct.unpack_from("!h", description)
    found = []
    position = 2
    for _ in range(count):
        end = description.index(b"\0", position)
        name = description[position:end].decode()
        _, _, type_id, _, modifier, _ = _FIELD.unpack_from(description, end + 1)
        position = end + 1 + _FIELD.size
        type_name = _NAMES.get(type_id, "character varying")
        found.append(UnloadColumn(name, type_name, _dimensions(type_name, modifier)))
    return found


def partition_positions(names: Sequence[str], columns: Sequence[UnloadColumn]) -> tuple[int, ...]:
    """Where the columns of PARTITION BY stand.

    Raises:
        CopyError: One is not in the query or cannot be a key, or no other column is left.
    """
    positions = []
    for name in names:
        found = [at for at, column in enumerate(columns) if column.name == name]
        if not found:
            raise CopyError(INVALID_PARAMETER, f"PARTITION BY column '{name}' is not in the query's result")
        if columns[found[0]].type_name not in _KEYS:
            type_name = columns[found[0]].type_name
            text = f"PARTITION BY column '{name}' has type {type_name}, which is no partition key"
            raise CopyError(FEATURE_NOT_SUPPORTED, text)
        positions.append(found[0])
    if positions and len(positions) == len(columns):
        raise CopyError(INVALID_PARAMETER, "PARTITION BY leaves no column for the files")
    return tuple(positions)


def check_names(columns: Sequence[UnloadColumn], data_format: str) -> None:
    """Make sure that the names are unique where the format needs that.

    Raises:
        CopyError: Two columns have one name.
    """
    names = [column.name for column in columns]
    if data_format in {"JSON", "PARQUET"} and len(set(names)) != len(names):
        raise CopyError(
            INVALID_PARAMETER, f"UNLOAD to {data_format} needs a unique name for each column of the query"
        )


def _dimensions(type_name: str, modifier: int) -> tuple[int, ...]:
    if modifier < 4:
        return ()
    if type_name in TEXTS:
        return (modifier - 4,)
    if type_name == "numeric":
        return ((modifier - 4) >> 16, (modifier - 4) & 0x7FF)
    return ()
