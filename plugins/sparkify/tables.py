"""The warehouse's tables, for the DAGs that make, load and reset them; operators know none of them.

Both lists are in the order in which tables can be made: a table before those that refer to it, and before
those that are made from it.
"""

# The files in include/sparkify/schema without their ending; `ops` is a schema, ops_loads the table ops.loads.
TABLES = (
    "ops",
    "ops_staged_files",
    "ops_sources",
    "ops_loads",
    "ops_rejected_rows",
    "ops_quality_results",
    "ops_late_arrivals",
    "ops_late_windows",
    "staging_events",
    "staging_songs",
    "users",
    "artists",
    "songs",
    "time",
    "songplays",
)

# Those that runs fill from the source; the others are the records of these runs.
LOADED_TABLES = tuple(table for table in TABLES if not table.startswith("ops"))
