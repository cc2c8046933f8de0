"""The lineage of one fact or dimension: from the columns that its SELECT reads to those of the table."""

from typing import TYPE_CHECKING

from sparkify.operators.lineage import Data, Lineage, Origin, read_columns
from sparkify.star.job import LoadJob
from sparkify.star.lineage import find_reads
from sparkify.warehouse.ledger import LoadRecord

if TYPE_CHECKING:
    from airflow.providers.common.sql.operators.sql import BaseSQLOperator


def trace_load(operator: "BaseSQLOperator", job: LoadJob, record: LoadRecord) -> Lineage:
    """Return what a load read and wrote.

    Args:
        operator: its connection knows the target's columns.
        job: what was loaded.
        record: what came of it.
    """
    reads = find_reads(job.select)
    columns = {column.name: column.type for column in read_columns(operator, job.table)}
    origins = {
        name: [Origin(*origin) for origin in found]
        for name, found in reads.columns.items()
        if name in columns
    }
    target = Data(name=job.table, rows=record.rows_inserted, columns=columns, origins=origins)
    beside = [Data(name=job.lookup.table)] if job.lookup else []
    return Lineage([Data(name=table) for table in reads.tables], [target, *beside], job.select)
