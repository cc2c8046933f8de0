"""dlt: a pipeline that inserts, or stages JSON or Parquet in S3, run twice: `python pipeline.py FORMAT`."""

import json
import os
import sys
import tempfile

import dlt
from dlt.destinations import filesystem, redshift

form = sys.argv[1]
staged = form != "insert_values"
name = f"dlt_{form}"


@dlt.resource(primary_key="id", write_disposition="merge")
def songs(day: int):
    """Songs, one of which changes each day."""
    yield {"id": 1, "title": f"Day {day}", "length": 1.5, "artists": [{"name": "Zoë"}, {"name": "O'Neil"}]}
    yield {"id": 1 + day, "title": "Other", "length": None, "artists": []}


@dlt.resource(write_disposition="append")
def plays(day: int):
    """Plays of a day; a column comes on the second."""
    for number in range(3):
        yield {"song": number, "day": day, **({"device": "phone"} if day > 1 else {})}


credentials = {
    "host": os.environ["PGHOST"],
    "port": int(os.environ["PGPORT"]),
    "username": os.environ["PGUSER"],
    "password": os.environ["PGPASSWORD"],
    "database": os.environ["PGDATABASE"],
}
role = "arn:aws:iam::123456789012:role/sparkify-redshift"
staging = filesystem(
    f"s3://{os.environ['BUCKET']}/{name}",
    credentials={
        "aws_access_key_id": os.environ["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": os.environ["AWS_SECRET_ACCESS_KEY"],
        "endpoint_url": os.environ["AWS_ENDPOINT_URL"],
        "region_name": os.environ["AWS_DEFAULT_REGION"],
    },
)
pipeline = dlt.pipeline(
    name,
    destination=redshift(credentials=credentials, staging_iam_role=role if staged else None),
    staging=staging if staged else None,
    dataset_name=name,
    pipelines_dir=tempfile.mkdtemp(),
)
kinds = set()
for day in (1, 2):
    done = pipeline.run([songs(day), plays(day)], loader_file_format=form)
    done.raise_on_failed_jobs()
    for package in done.load_packages:
        kinds |= {job.job_file_info.file_format for job in package.jobs["completed_jobs"]}

with pipeline.sql_client() as client:

    def rows(sql: str) -> list[list[object]]:
        """Return the rows of a query."""
        return [list(row) for row in client.execute_sql(sql)]

    print(
        json.dumps(
            {
                "songs": rows("SELECT id, title FROM songs ORDER BY id"),
                "artists": rows("SELECT name FROM songs__artists ORDER BY name"),
                "plays": rows("SELECT day, COUNT(*), COUNT(device) FROM plays GROUP BY day ORDER BY day"),
                "formats": sorted(kinds),
            }
        )
    )
