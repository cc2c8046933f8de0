"""Lineage in the words of OpenLineage; only what its provider calls imports this module."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from airflow.providers.openlineage.extractors import OperatorLineage
from airflow.providers.openlineage.sqlparser import SQLParser
from openlineage.client.event_v2 import InputDataset, OutputDataset
from openlineage.client.facet_v2 import (
    DatasetFacet,
    InputDatasetFacet,
    OutputDatasetFacet,
    column_lineage_dataset,
    data_quality_assertions_dataset,
    input_statistics_input_dataset,
    lifecycle_state_change_dataset,
    output_statistics_output_dataset,
    schema_dataset,
    sql_job,
)

from sparkify.operators.lineage import Data, Lineage, Origin


def describe(lineage: Lineage, hook: Any | None) -> "OperatorLineage[Any, Any]":  # noqa: ANN401 - see Traced
    """Return lineage as the provider takes it.

    Args:
        lineage: of one task.
        hook: the warehouse's; its connection says how its tables are named. None where no table is in it.
    """
    place = _Place.of(hook) if hook else _Place("", "")
    return OperatorLineage(
        inputs=[_describe_input(data, place) for data in lineage.inputs],
        outputs=[_describe_output(data, place) for data in lineage.outputs],
        job_facets={"sql": sql_job.SQLJobFacet(query=lineage.sql)} if lineage.sql else {},
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """Where tables are: the namespace of their server, and the database."""

    namespace: str
    database: str

    @classmethod
    def of(cls, hook: Any) -> "_Place":  # noqa: ANN401 - see Traced
        connection = hook.get_connection(getattr(hook, hook.conn_name_attr))
        info = hook.get_openlineage_database_info(connection)
        return cls(SQLParser.create_namespace(info), connection.schema or "")

    def name(self, data: str) -> tuple[str, str]:
        """Return namespace and name of a table or a file."""
        scheme, found, path = data.partition("://")
        if found:
            where, _, key = path.partition("/")
            return f"{scheme}://{where}", key or "/"
        table = data if "." in data else f"public.{data}"
        return self.namespace, f"{self.database}.{table}"


def _describe_input(data: Data, place: _Place) -> InputDataset:
    namespace, name = place.name(data.name)
    facets: dict[str, InputDatasetFacet] = {}
    if data.checks:
        facets["dataQualityAssertions"] = _describe_checks(data)
    if (data.rows, data.size, data.files) != (None, None, None):
        facets["inputStatistics"] = input_statistics_input_dataset.InputStatisticsInputDatasetFacet(
            rowCount=data.rows, size=data.size, fileCount=data.files
        )
    return InputDataset(namespace, name, facets=_describe_columns(data, place), inputFacets=facets)


def _describe_output(data: Data, place: _Place) -> OutputDataset:
    namespace, name = place.name(data.name)
    facets = _describe_columns(data, place)
    if data.change:
        state = lifecycle_state_change_dataset.LifecycleStateChange(data.change)
        facets["lifecycleStateChange"] = lifecycle_state_change_dataset.LifecycleStateChangeDatasetFacet(
            lifecycleStateChange=state
        )
    statistics = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(
        rowCount=data.rows, size=data.size, fileCount=data.files
    )
    has_numbers = (data.rows, data.size, data.files) != (None, None, None)
    counted: dict[str, OutputDatasetFacet] = {"outputStatistics": statistics} if has_numbers else {}
    return OutputDataset(namespace, name, facets=facets, outputFacets=counted)


def _describe_columns(data: Data, place: _Place) -> dict[str, DatasetFacet]:
    facets: dict[str, DatasetFacet] = {}
    if data.columns:
        fields = [
            schema_dataset.SchemaDatasetFacetFields(name=name, type=kind or None)
            for name, kind in data.columns.items()
        ]
        facets["schema"] = schema_dataset.SchemaDatasetFacet(fields=fields)
    if data.origins:
        made = {column: _describe_origins(found, place) for column, found in data.origins.items()}
        facets["columnLineage"] = column_lineage_dataset.ColumnLineageDatasetFacet(fields=made)
    return facets


def _describe_origins(origins: Sequence[Origin], place: _Place) -> column_lineage_dataset.Fields:
    fields = [
        column_lineage_dataset.InputField(*place.name(origin.source), field=origin.column)
        for origin in origins
    ]
    return column_lineage_dataset.Fields(inputFields=fields)


def _describe_checks(data: Data) -> data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet:
    assertions = [
        data_quality_assertions_dataset.Assertion(
            assertion=check.check_type,
            success=check.success,
            column=check.column,
            severity=check.severity,
            name=check.name,
            description=check.description,
            expected=check.expected,
            actual=check.actual,
            content=check.content,
            contentType="sql" if check.content else None,
        )
        for check in data.checks
    ]
    return data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet(assertions=assertions)
