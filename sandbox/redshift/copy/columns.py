"""The target's columns and the converter each one needs."""

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.redshift.copy.conversion.batches import (
    BatchConverter,
    boolean_batch,
    double_batch,
    epoch_batch,
    integer_batch,
    required_batch,
    text_batch,
)
from sandbox.redshift.copy.conversion.numbers import (
    boolean_converter,
    decimal_converter,
    float_converter,
    integer_converter,
)
from sandbox.redshift.copy.conversion.texts import (
    MAX_VARCHAR,
    char_converter,
    super_converter,
    varchar_converter,
)
from sandbox.redshift.copy.conversion.times import date_converter, time_converter, timestamp_converter
from sandbox.redshift.copy.conversion.values import NULL, Converter
from sandbox.redshift.copy.errors import FEATURE_NOT_SUPPORTED, ConversionError, CopyError
from sandbox.redshift.copy.options import Options

# PostgreSQL's name of a type: Redshift's short one, as STL_LOAD_ERRORS shows it.
_SHORT_NAMES = {
    "smallint": "int2",
    "integer": "int4",
    "bigint": "int8",
    "numeric": "numeric",
    "real": "float4",
    "double precision": "float8",
    "boolean": "bool",
    "character": "char",
    "character varying": "varchar",
    "text": "varchar",
    "date": "date",
    "time without time zone": "time",
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamptz",
    "json": "super",
    "jsonb": "super",
}


@dataclass(frozen=True)
class TargetColumn:
    """One column that COPY fills.

    Args:
        name: Its name.
        type_name: PostgreSQL's name of its type without length, e.g. ``character varying``.
        length: Bytes of a CHAR or VARCHAR.
        precision: Digits of a NUMERIC.
        scale: Digits behind the point of a NUMERIC.
        not_null: NULL is an error.
    """

    name: str
    type_name: str
    length: int | None = None
    precision: int | None = None
    scale: int | None = None
    not_null: bool = False

    @property
    def short_type(self) -> str:
        """The type as load errors name it, e.g. int4, varchar or timestamp."""
        return _SHORT_NAMES.get(self.type_name, self.type_name)

    @property
    def length_text(self) -> str:
        """The length as load errors show it: bytes, ``precision, scale`` or 0."""
        if self.type_name == "numeric":
            return f"{self.precision or 38}, {self.scale or 0}"
        return str(self.length or 0)


def converter_for(column: TargetColumn, options: Options) -> Converter:
    """The converter of JSON values to `column`, NOT NULL included.

    Raises:
        CopyError: The sandbox cannot load columns of this type.
    """
    factory = _factories(column, options).get(column.type_name)
    if factory is None:
        raise CopyError(
            FEATURE_NOT_SUPPORTED,
            f"COPY into column '{column.name}' of type {column.type_name} is not supported by the sandbox",
        )
    return _required(factory()) if column.not_null else factory()


def batch_for(column: TargetColumn, options: Options) -> BatchConverter | None:
    """What converts ordinary values of `column` all at once; None where its converter goes one by one."""
    factory = _batches(column, options).get(column.type_name)
    if factory is None:
        return None
    return required_batch(factory()) if column.not_null else factory()


@dataclass(frozen=True)
class TextRule:
    """Which texts a column takes as they are: of so many bytes, or characters where all are ASCII."""

    limit: int
    ascii_only: bool


def text_rule(column: TargetColumn, options: Options) -> TextRule | None:
    """The rule of a column of texts; None for others, and where options rewrite them."""
    if options.empty_as_null or options.blanks_as_null or options.trim_blanks:
        return None
    # With ACCEPTINVCHARS more than what is no UTF-8 is replaced.
    strict = options.accept_invalid_chars is not None
    return {
        "character": TextRule(column.length or 1, ascii_only=True),
        "character varying": TextRule(column.length or MAX_VARCHAR, ascii_only=strict),
        "text": TextRule(MAX_VARCHAR, ascii_only=strict),
    }.get(column.type_name)


def _factories(column: TargetColumn, options: Options) -> dict[str, Callable[[], Converter]]:
    return {
        "smallint": lambda: integer_converter("Short", 2),
        "integer": lambda: integer_converter("Integer", 4),
        "bigint": lambda: integer_converter("Long", 8),
        "numeric": lambda: decimal_converter(
            column.precision, column.scale, round_decimals=options.round_decimals
        ),
        "real": lambda: float_converter("Float"),
        "double precision": lambda: float_converter("Double"),
        "boolean": boolean_converter,
        "character": lambda: char_converter(column.length, options),
        "character varying": lambda: varchar_converter(column.length, options),
        "text": lambda: varchar_converter(None, options),
        "date": lambda: date_converter(options),
        "time without time zone": lambda: time_converter(options),
        "timestamp without time zone": lambda: timestamp_converter(options, with_zone=False),
        "timestamp with time zone": lambda: timestamp_converter(options, with_zone=True),
        "json": super_converter,
        "jsonb": super_converter,
    }


def _batches(column: TargetColumn, options: Options) -> dict[str, Callable[[], BatchConverter]]:
    epochs = options.time_format in {"epochsecs", "epochmillisecs"}
    milliseconds = options.time_format == "epochmillisecs"
    found: dict[str, Callable[[], BatchConverter]] = {
        "smallint": lambda: integer_batch(2),
        "integer": lambda: integer_batch(4),
        "bigint": lambda: integer_batch(8),
        "double precision": lambda: double_batch,
        "boolean": lambda: boolean_batch,
    }
    if rule := text_rule(column, options):
        found[column.type_name] = lambda: text_batch(rule.limit, ascii_only=rule.ascii_only)
    if epochs:
        found["timestamp without time zone"] = lambda: epoch_batch(milliseconds=milliseconds, with_zone=False)
        found["timestamp with time zone"] = lambda: epoch_batch(milliseconds=milliseconds, with_zone=True)
    return found


def _required(convert: Converter) -> Converter:
    def convert_required(value: object) -> str:
        text = convert(value)
        if text == NULL:
            raise ConversionError(1213, "Missing data for not-null field")
        return text

    return convert_required
