"""A value as COPY converts it."""

import pytest

from sandbox.redshift.copy.columns import TargetColumn, converter_for
from sandbox.redshift.copy.errors import ConversionError
from sandbox.redshift.copy.options import Options

NULL = r"\N"
TIMESTAMP, TIMESTAMPTZ = "timestamp without time zone", "timestamp with time zone"
VARCHAR = "character varying"


def convert(type_name, value, *, length=None, precision=None, scale=None, not_null=False, **options):
    column = TargetColumn("c", type_name, length, precision, scale, not_null)
    return converter_for(column, Options(json="auto", **options))(value)


def refused(*arguments, **named):
    with pytest.raises(ConversionError) as caught:
        convert(*arguments, **named)
    return caught.value.code, caught.value.reason
