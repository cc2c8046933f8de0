"""Questions to the warehouse; each counts what must never be."""

from collections.abc import Iterable

# Of the ledger, whatever the datasets.
OF_THE_LEDGER = {
    "staged files whose load is not in ops.loads": """
        SELECT COUNT(*) FROM ops.staged_files AS s LEFT JOIN ops.loads AS l ON s.load_id = l.load_id
        WHERE l.load_id IS NULL""",
    "file versions that stand in the ledger twice": """
        SELECT COUNT(*) FROM (
            SELECT 1 AS one FROM ops.staged_files GROUP BY dataset, bucket, key, etag HAVING COUNT(*) > 1
        ) AS twice""",
    "late loads taken in by a load that is not in ops.loads": """
        SELECT COUNT(*) FROM ops.changes_taken AS a LEFT JOIN ops.loads AS l ON a.load_id = l.load_id
        WHERE l.load_id IS NULL""",
    "loads recorded twice": """
        SELECT COUNT(*) FROM (
            SELECT load_id FROM ops.loads GROUP BY load_id HAVING COUNT(*) > 1
        ) AS twice""",
}
# Also while runs of Sparkify are under way or after they died.
OF_PLAYS_IN_BETWEEN = {
    "plays that stand there twice": """
        SELECT COUNT(*) FROM (
            SELECT songplay_id FROM songplays GROUP BY songplay_id HAVING COUNT(*) > 1
        ) AS twice""",
    "plays that point to a song that is not there": """
        SELECT COUNT(*) FROM songplays AS p LEFT JOIN songs AS s ON p.song_id = s.song_id
        WHERE p.song_id IS NOT NULL AND s.song_id IS NULL""",
}
# Once every run of Sparkify is done.
OF_PLAYS = {
    "plays that point to an artist who is not there": """
        SELECT COUNT(*) FROM songplays AS p LEFT JOIN artists AS a ON p.artist_id = a.artist_id
        WHERE p.artist_id IS NOT NULL AND a.artist_id IS NULL""",
    "plays that point to a user who is not there": """
        SELECT COUNT(*) FROM songplays AS p LEFT JOIN users AS u ON p.user_id = u.user_id
        WHERE u.user_id IS NULL""",
    "plays that point to a moment that is not there": """
        SELECT COUNT(*) FROM songplays AS p LEFT JOIN time AS t ON p.start_time = t.start_time
        WHERE t.start_time IS NULL""",
}
OF_SALES_IN_BETWEEN = {
    "sales that stand there twice": """
        SELECT COUNT(*) FROM (
            SELECT store_id FROM store_sales GROUP BY store_id, month HAVING COUNT(*) > 1
        ) AS twice""",
}


def of_staging_table(table: str) -> dict[str, str]:
    return {
        f"rows of {table} whose load is not in ops.loads": f"""
            SELECT COUNT(*) FROM {table} AS s LEFT JOIN ops.loads AS l ON s.load_id = l.load_id
            WHERE l.load_id IS NULL""",
        f"rows of {table} of loads that wrote fewer": f"""
            SELECT COUNT(*) FROM (
                SELECT load_id, COUNT(*) AS held FROM {table} GROUP BY load_id
            ) AS s INNER JOIN ops.loads AS l ON s.load_id = l.load_id
            WHERE s.held > l.rows_inserted""",
    }


def of_table(table: str) -> dict[str, str]:
    staged = of_staging_table(table) if table.startswith("staging_") else {}
    return staged | {
        f"rows of {table} more than all loads wrote and deleted": f"""
            SELECT COUNT(*) - (
                SELECT COALESCE(SUM(rows_inserted - rows_deleted), 0) FROM ops.loads
                WHERE target_table = '{table}'
            ) FROM {table}"""
    }


def of_strangers(dag_id: str, tables: Iterable[str]) -> dict[str, str]:
    """What one dataset's runs did to another one's records."""
    names = ", ".join(f"'{table}'" for table in tables)
    return {
        f"loads by {dag_id} of other tables than its own, or of those by others": f"""
            SELECT COUNT(*) FROM ops.loads WHERE (dag_id = '{dag_id}') <> (target_table IN ({names}))""",
        f"changes of another dataset taken in by tables of {dag_id}, or the other way round": f"""
            SELECT COUNT(*) FROM ops.changes_taken AS a INNER JOIN ops.changes AS c
                ON a.change_load_id = c.load_id
            WHERE (a.target_table IN ({names})) <> (c.source_table IN ({names}))""",
    }


def pending_changes(fact: str, tables: Iterable[str]) -> str:
    """Count the changes of a dataset's tables that its fact table has not taken in."""
    names = ", ".join(f"'{table}'" for table in tables)
    return f"""
        SELECT COUNT(*) FROM ops.changes AS c LEFT JOIN ops.changes_taken AS a
            ON c.load_id = a.change_load_id AND a.target_table = '{fact}'
        WHERE a.change_load_id IS NULL AND c.source_table IN ({names})"""


def ledger_of(tables: Iterable[str]) -> list[str]:
    """Ask for all that the ledger says of some tables."""
    names = ", ".join(f"'{table}'" for table in tables)
    columns = {
        "loads": "target_table",
        "staged_files": "dataset",
        "sources": "dataset",
        "changes": "source_table",
        "changes_taken": "target_table",
    }
    return [f"SELECT * FROM ops.{name} WHERE {column} IN ({names})" for name, column in columns.items()]
