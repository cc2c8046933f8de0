"""Files as COPY reads them, in blocks, and the columns that they go to."""

from sandbox.redshift.copy.columns import TargetColumn
from sandbox.redshift.copy.s3 import BLOCK_BYTES

TYPES = (
    *("smallint", "integer", "bigint", "numeric", "real", "double precision", "boolean", "character"),
    *("character varying", "text", "date", "time without time zone", "timestamp without time zone"),
    *("timestamp with time zone", "json"),
)
COLUMNS = [
    TargetColumn(f"c{number}", name, 8 if "char" in name else None, *((38, 10) if name == "numeric" else ()))
    for number, name in enumerate(TYPES)
]


def blocks(data: bytes, size: int = BLOCK_BYTES) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]
