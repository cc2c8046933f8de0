"""locopy: a local file through S3 into a table (COPY), a query through S3 into a local file (UNLOAD)."""

import json
import os
import tempfile
from pathlib import Path

import locopy
import psycopg2

folder = Path(tempfile.mkdtemp())
given = folder / "given.txt"
given.write_text("1|one|2018-11-28\n2||2018-11-29\n3|three|\n")
bucket = os.environ["BUCKET"]
where = {"host": os.environ["PGHOST"], "port": os.environ["PGPORT"], "dbname": os.environ["PGDATABASE"]}

with locopy.Redshift(
    dbapi=psycopg2, user=os.environ["PGUSER"], password=os.environ["PGPASSWORD"], **where
) as redshift:
    redshift.execute("CREATE SCHEMA locopy")
    redshift.execute("CREATE TABLE locopy.loaded (id INTEGER, word VARCHAR(10), day DATE)")
    redshift.load_and_copy(str(given), bucket, "locopy.loaded", delete_s3_after=True, splits=2)
    redshift.execute("SELECT COUNT(*), MAX(day)::varchar FROM locopy.loaded")
    [counted] = redshift.cursor.fetchall()
    redshift.unload_and_copy(
        "SELECT id, word FROM locopy.loaded ORDER BY id",
        bucket,
        s3_folder="locopy",
        export_path=str(folder / "taken.csv"),
        raw_unload_path=str(folder),
        parallel_off=True,
    )
    redshift.execute("SELECT id, word FROM locopy.loaded ORDER BY id")
    frame = redshift.to_dataframe()
print(
    json.dumps(
        {
            "counted": list(counted),
            "unloaded": (folder / "taken.csv").read_text().splitlines(),
            "frame": frame.astype(object).where(frame.notna(), None).values.tolist(),
        }
    )
)
