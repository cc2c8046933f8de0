"""awswrangler: frames by INSERT and by COPY of Parquet, files, UNLOAD, and the Redshift Data API."""

import json
import os
import sys

import awswrangler as wr
import pandas as pd
import redshift_connector

cluster = sys.argv[1]
bucket = f"s3://{os.environ['BUCKET']}/wrangler"
role = "arn:aws:iam::123456789012:role/sparkify-redshift"
connection = redshift_connector.connect(
    host=os.environ["PGHOST"],
    port=int(os.environ["PGPORT"]),
    user=os.environ["PGUSER"],
    password=os.environ["PGPASSWORD"],
    database=os.environ["PGDATABASE"],
    ssl=False,
)
connection.autocommit = True
connection.cursor().execute("CREATE SCHEMA wrangler")
connection.autocommit = False

frame = pd.DataFrame(
    {
        "id": pd.array([1, 2, 3], dtype="Int32"),
        "word": ["one", None, "drei €"],
        "at": pd.to_datetime(["2018-11-28 10:00", "2018-11-29 11:30", None]).astype("datetime64[us]"),
    }
)
into = {"con": connection, "schema": "wrangler"}
wr.redshift.to_sql(frame, table="inserted", mode="overwrite", primary_keys=["id"], **into)
wr.redshift.to_sql(
    frame.assign(word="new").head(1), table="inserted", mode="upsert", primary_keys=["id"], **into
)
wr.redshift.copy(frame, f"{bucket}/copied/", table="copied", iam_role=role, mode="overwrite", **into)
wr.redshift.copy(frame, f"{bucket}/copied/", table="copied", iam_role=role, mode="append", **into)
wr.s3.to_parquet(frame, f"{bucket}/files/part.parquet")
wr.redshift.copy_from_files(f"{bucket}/files/", table="files", iam_role=role, mode="overwrite", **into)

query = "SELECT id, word, at FROM wrangler.copied ORDER BY id"
unloaded = wr.redshift.unload(query, f"{bucket}/unloaded/", connection, iam_role=role)
data = wr.data_api.redshift.connect(
    cluster_id=cluster, database=os.environ["PGDATABASE"], db_user=os.environ["PGUSER"]
)
by_api = wr.data_api.redshift.read_sql_query("SELECT id, word FROM wrangler.files ORDER BY id", data)


def rows(read: pd.DataFrame) -> list[list[object]]:
    """Return what JSON can hold."""
    return [[None if pd.isna(one) else str(one) for one in row] for row in read.astype(object).to_numpy()]


print(
    json.dumps(
        {
            "inserted": rows(
                wr.redshift.read_sql_query("SELECT id, word FROM wrangler.inserted ORDER BY id", connection)
            ),
            "copied": rows(wr.redshift.read_sql_query(query, connection)),
            "unloaded": len(unloaded),
            "data api": rows(by_api),
        }
    )
)
