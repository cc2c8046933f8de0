"""The temp table into which COPY writes, before anything is published."""

from sparkify.failures import FatalError
from sparkify.stage.job import INCOMING, LOAD_ID, StagingJob
from sparkify.warehouse.columns import Column, columns_of
from sparkify.warehouse.session import Session
from sparkify.warehouse.sql import quote_identifier, quote_table


def create_incoming(session: Session, job: StagingJob) -> list[str]:
    """Make the temp table and return its columns, which are those that the files fill.

    What is NOT NULL in the staging table is so there, and so are the job's time and keys: COPY itself then
    refuses a row without them as it refuses any bad row, with file, line and column (error 1213).

    Raises:
        FatalError: the staging table lacks a column that the job needs.
    """
    columns = columns_of(session, job.table)
    if not columns:
        # A table that is not there is best told of by the error that Redshift gives for it.
        session.execute(f"SELECT 1 FROM {quote_table(job.table)} LIMIT 0")
    _check(job, columns)
    filled = [column for column in columns if column.name != LOAD_ID and not column.fills_itself]
    required = {name.lower() for name in job.required_columns}
    lines = [
        f"{quote_identifier(column.name)} {column.type}"
        f"{' NOT NULL' * (column.not_null or column.name in required)}"
        for column in filled
    ]
    # EVEN: by default a new table is whole on each node as long as it is small.
    session.execute(f"CREATE TEMP TABLE {INCOMING} ({', '.join(lines)}) DISTSTYLE EVEN")
    return [column.name for column in filled]


def _check(job: StagingJob, columns: list[Column]) -> None:
    table, names = job.table, {column.name for column in columns}
    if LOAD_ID not in names:
        raise FatalError(
            f"{table} has no column {LOAD_ID}, in which every row of a staging table names its load. Add it "
            f"to the table and to its DDL: ALTER TABLE {table} ADD COLUMN {LOAD_ID} VARCHAR(64)"
        )
    if missing := [name for name in job.required_columns if name.lower() not in names]:
        raise FatalError(
            f"{table} has no column {', '.join(missing)}, which time_column or key_columns of its staging "
            f"task name. Its columns are: {', '.join(sorted(names))}."
        )
    own = [column.name for column in columns if column.fills_itself]
    if itself := [name for name in job.required_columns if name.lower() in own]:
        raise FatalError(
            f"{', '.join(itself)} of {table} has a DEFAULT or is an IDENTITY, so it is not read from the "
            "files and cannot be their time or key: name a column that the files fill."
        )
