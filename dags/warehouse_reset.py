"""By hand: chosen tables emptied, or all of them dropped and made again, after their names were typed."""

from airflow.sdk import DAG, Param

from definitions import DATASETS
from definitions.forms import COMMON, LOADS, READERS
from sparkify.operators import ResetTablesOperator

TABLES = [table for dataset in DATASETS for table in dataset.tables]

with DAG(
    dag_id="warehouse_reset",
    dag_display_name="warehouse_reset: empty or remake tables",
    description="Chosen tables emptied, or all of them dropped and made again, after their names were typed.",
    doc_md="""
### What it does
Deletes rows that only a new load brings back. One run does one of two things, in one transaction:

* **empty**: deletes all rows of the chosen tables. The records in `ops` forget what they said of these rows:
  no file of an emptied staging table counts as staged any more, no hour as loaded;
* **recreate**: drops every table of every dataset, and those in `ops`, and makes them again.
  For a table whose columns changed, and to begin from nothing.

### Confirmation
Nothing happens before you have typed what you mean into the form:

* to **empty**, the names of the chosen tables, in any order, separated by spaces: `songplays users`;
* to **recreate**, the name of the database that the connection leads to: `sparkify`.

With no confirmation or another one the run fails, changes nothing and tells what to type. A task of this DAG
that is cleared carries its confirmation with it: it resets again.

### Before
Let the runs of `sparkify_etl` end: while one is under way, or one of another DAG with the tag `loads`, this
DAG refuses. Pause `sparkify_etl` if its next hour must not begin meanwhile. A load that Airflow does not know
of, as by `airflow dags test` elsewhere, is waited for; those that come later wait, and find the tables empty.

### Afterwards
Run `sparkify_etl` over the time that is to come back, in one run with `window_start` and `window_end`, its
`song_prefix` untouched. The tables end as they were, because they are made of the source files alone.

* Hours that no run loads again stay empty: runs look back at hours that are staged, not at forgotten ones.
* Users and plays are corrected from the staging tables: load an emptied one before hourly runs go on.
* `recreate` takes with it the history in `ops`, and the rights that were granted on the tables, but for those
  of the group `analysts`.

### When it fails
Every table is as it was.

* `Nothing was changed …`: the message says what is missing.
* `other users own tables of these names`: they are not dropped; the message says what to do.
* `cannot drop table …`: a view stands on it that this project does not know. Drop the view, clear the task.
* `… does not exist`: there is nothing to empty yet; `recreate` makes what is missing.
""",
    schedule=None,
    **COMMON,
    max_active_runs=1,
    params={
        "action": Param(
            "empty",
            type="string",
            enum=["empty", "recreate"],
            values_display={
                "empty": "Empty the tables chosen below",
                "recreate": "Drop all tables and make them again",
            },
            title="What to do",
            description="Either can be undone only by loading again.",
        ),
        "tables": Param(
            [],
            type=["null", "array"],
            items={"type": "string", "enum": TABLES},
            # What makes the form offer a list to choose from.
            examples=TABLES,
            uniqueItems=True,
            title="Tables to empty",
            description="None to recreate: that is for all tables.",
        ),
        "confirmation": Param(
            "",
            type=["null", "string"],
            title="Confirmation",
            description="To empty, the names of the tables above, separated by spaces; to recreate, the name"
            " of the database. With anything else the run fails and changes nothing.",
        ),
    },
    tags=["sparkify", "redshift", "operations"],
) as dag:
    ResetTablesOperator(
        task_id="reset_tables",
        sql=[file for dataset in DATASETS for file in dataset.schema],
        tables=[dataset.tables for dataset in DATASETS],
        beside={table: kept for dataset in DATASETS for table, kept in dataset.beside.items()},
        action="{{ params.action }}",
        chosen="{{ (params.tables or []) | join(' ') }}",
        confirmation="{{ params.confirmation or '' }}",
        readers=READERS,
        published=[table for dataset in DATASETS for table in dataset.published],
        loading_tag=LOADS,
    )
