"""OpenLineage: what a load read and wrote, where the OpenLineage provider is installed."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage


_COMMENT = re.compile(r"--[^\n]*")
_EXTRACT = re.compile(r"\bEXTRACT\s*\([^)]*\)", re.IGNORECASE)
_READ = re.compile(r"\b(?:FROM|JOIN)\s+([a-z_][\w.]*)", re.IGNORECASE)
_WITH_NAME = re.compile(r"\b(\w+)\s+AS\s*\(\s*SELECT\b", re.IGNORECASE)


def find_tables_read(select: str) -> list[str]:
    """Return the tables that a SELECT reads, sorted.

    The OpenLineage provider's own parser (openlineage-sql 1.54) finds none behind a WITH clause.
    """
    text = _EXTRACT.sub("", _COMMENT.sub("", select))
    return sorted(
        {name.lower() for name in _READ.findall(text)} - {name.lower() for name in _WITH_NAME.findall(text)}
    )


def describe_load(
    hook: Any,  # noqa: ANN401 - hooks of the two connection types share no type with these methods
    table: str,
    rows: int,
    *,
    select: str | None = None,
    files: Sequence[str] = (),
) -> "OperatorLineage[Any, Any]":
    """Return the lineage of one finished load.

    Args:
        hook: the warehouse's hook; its connection names the database.
        table: the target.
        rows: how many rows were inserted.
        select: the SELECT that was read; its tables become inputs.
        files: `s3://` addresses of the files that were read.
    """
    from airflow.providers.common.compat.openlineage.facet import (  # noqa: PLC0415 - optional provider
        Dataset,
        OutputDataset,
        OutputStatisticsOutputDatasetFacet,
        SQLJobFacet,
    )
    from airflow.providers.openlineage.extractors import OperatorLineage  # noqa: PLC0415
    from airflow.providers.openlineage.sqlparser import SQLParser  # noqa: PLC0415

    connection = hook.get_connection(getattr(hook, hook.conn_name_attr))
    namespace = SQLParser.create_namespace(hook.get_openlineage_database_info(connection))
    sources = [(f"s3://{bucket}", key) for bucket, key in map(_split_url, files)]
    sources += [
        (namespace, _qualify_name(connection.schema, name)) for name in find_tables_read(select or "")
    ]
    statistics = OutputStatisticsOutputDatasetFacet(rowCount=rows)
    target = OutputDataset(
        namespace, _qualify_name(connection.schema, table), outputFacets={"outputStatistics": statistics}
    )
    return OperatorLineage(
        inputs=[Dataset(namespace=where, name=name) for where, name in sources],
        outputs=[target],
        job_facets={"sql": SQLJobFacet(query=select)} if select else {},
    )


def _qualify_name(database: str, table: str) -> str:
    return f"{database}.{table if '.' in table else 'public.' + table}"


def _split_url(url: str) -> tuple[str, str]:
    bucket, _, key = url.removeprefix("s3://").partition("/")
    return bucket, key
