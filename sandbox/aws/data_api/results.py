"""Results of statements, kept as pages in a file until they are too old."""

import json
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from sandbox.aws.data_api.messages import Values, invalid

# Management Guide, "Considerations when calling the Amazon Redshift Data API": 100 MB (there of gzip).
LARGEST = 100_000_000
# A page ends after so many rows or bytes; that GetStatementResult has pages is documented, their size is not.
_PAGE_ROWS = 1000
_PAGE_BYTES = 1_000_000
_TOKEN = "page-"  # noqa: S105 - marks a token as this API's

_WHOLE = frozenset(("int2", "int4", "int8", "oid"))
_FLOATING = frozenset(("float4", "float8"))


class TooLargeError(Exception):
    """A result has more bytes than the API keeps."""


class Result:
    """A result's columns and rows.

    Args:
        folder: Where its file is.
        columns: The API's ColumnMetadata.

    Attributes:
        rows: How many there are.
        size: The bytes of their values.
    """

    def __init__(self, folder: Path, columns: list[Values]) -> None:
        self.rows = 0
        self.size = 0
        self._columns = columns
        self._path = folder / uuid.uuid4().hex
        self._offsets = [0]

    def keep(self, rows: Iterable[Sequence[str | None]]) -> None:
        """Write the rows down.

        Raises:
            TooLargeError: They are too many.
        """
        types = [column["typeName"] for column in self._columns]
        page: list[list[Values]] = []
        began = 0
        with self._path.open("wb") as file:
            for row in rows:
                page.append([_field(value, name) for value, name in zip(row, types, strict=True)])
                self.rows += 1
                self.size += sum(len(value.encode()) for value in row if value is not None)
                if self.size > LARGEST:
                    raise TooLargeError
                if len(page) >= _PAGE_ROWS or self.size - began >= _PAGE_BYTES:
                    self._offsets.append(self._offsets[-1] + file.write(json.dumps(page).encode()))
                    page, began = [], self.size
            if page:
                self._offsets.append(self._offsets[-1] + file.write(json.dumps(page).encode()))

    def page(self, token: str) -> Values:
        """GetStatementResult's answer.

        Args:
            token: The NextToken of the page before; empty for the first.

        Raises:
            RefusalError: It is no token of this result.
        """
        number = token.removeprefix(_TOKEN) if token else "0"
        last = max(len(self._offsets) - 2, 0)
        if (token and not token.startswith(_TOKEN)) or not number.isdecimal() or int(number) > last:
            raise invalid("NextToken is none of this result's.")
        return {
            "Records": self._read(int(number)),
            "ColumnMetadata": self._columns,
            "TotalNumRows": self.rows,
            "NextToken": f"{_TOKEN}{int(number) + 1}" if int(number) < last else None,
        }

    def remove(self) -> None:
        """Remove the file."""
        self._path.unlink(missing_ok=True)

    def _read(self, number: int) -> Any:  # noqa: ANN401 - JSON
        if len(self._offsets) == 1:
            return []
        with self._path.open("rb") as file:
            file.seek(self._offsets[number])
            return json.loads(file.read(self._offsets[number + 1] - self._offsets[number]))


def _field(value: str | None, name: str) -> Values:
    """The API's Field; what is neither a number nor a Boolean is a text, decimals and times, too."""
    if value is None:
        return {"isNull": True}
    if name == "bool":
        return {"booleanValue": value == "t"}
    if name in _WHOLE:
        return {"longValue": int(value)}
    return {"doubleValue": float(value)} if name in _FLOATING else {"stringValue": value}


# Precision as JDBC has it, whose values the Management Guide's examples show ("Getting the results of an SQL
# statement": int4 has 10).
_PRECISIONS = {
    "int2": 5,
    "int4": 10,
    "int8": 19,
    "oid": 10,
    "float4": 8,
    "float8": 17,
    "bool": 1,
    "date": 13,
    "timestamp": 29,
    "timestamptz": 35,
    "time": 15,
    "timetz": 21,
}
_NAMES = {  # of PostgreSQL's types by their numbers; Redshift's pg_type has the same
    16: "bool",
    17: "varbyte",
    18: "char",
    19: "name",
    20: "int8",
    21: "int2",
    23: "int4",
    25: "text",
    26: "oid",
    700: "float4",
    701: "float8",
    1042: "bpchar",
    1043: "varchar",
    1082: "date",
    1083: "time",
    1114: "timestamp",
    1184: "timestamptz",
    1266: "timetz",
    1700: "numeric",
    1186: "interval",
    705: "varchar",
}
_SIGNED = _WHOLE | _FLOATING | {"numeric"}
_HEADER = 4  # bytes that a type's modifier counts beside the length


def column(name: str, number: int, modifier: int) -> Values:
    """A column's metadata.

    Args:
        name: As the statement names it.
        number: Its type's.
        modifier: Its type's modifier; -1 where there is none.
    """
    kind = _NAMES.get(number, "varchar")
    precision, scale = _PRECISIONS.get(kind, 0), 0
    if kind == "numeric" and modifier >= _HEADER:
        precision, scale = (modifier - _HEADER) >> 16, (modifier - _HEADER) & 0xFFFF
    elif kind in {"varchar", "bpchar"} and modifier >= _HEADER:
        precision = modifier - _HEADER
    return {
        "isCaseSensitive": kind in {"varchar", "bpchar", "text", "char", "name"},
        "isCurrency": False,
        "isSigned": kind in _SIGNED,
        "label": name,
        "length": 0,
        "name": name,
        "nullable": 1,
        "precision": precision,
        "scale": scale,
        "schemaName": "",
        "tableName": "",
        "typeName": kind,
    }
