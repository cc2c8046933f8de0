"""sqlalchemy-redshift with either driver, and pandas on top of it: `python reflection.py DRIVER`."""

import json
import os
import sys

import pandas
import sqlalchemy as sa
from sqlalchemy_redshift import dialect

driver = sys.argv[1]
schema = f"alchemy_{driver.replace('redshift_', '')}"
url = sa.URL.create(
    f"redshift+{driver}",
    os.environ["PGUSER"],
    os.environ["PGPASSWORD"],
    os.environ["PGHOST"],
    int(os.environ["PGPORT"]),
    os.environ["PGDATABASE"],
)
arguments = {"sslmode": "disable"} if driver == "psycopg2" else {"ssl": False}
engine = sa.create_engine(url, connect_args=arguments)

with engine.begin() as connection:
    connection.execute(sa.text(f"CREATE SCHEMA {schema}"))
tables = sa.MetaData(schema=schema)
artists = sa.Table(
    "artists",
    tables,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("name", sa.String(100), nullable=False, redshift_encode="lzo"),
    redshift_diststyle="ALL",
    redshift_sortkey="name",
)
sa.Table(
    "songs",
    tables,
    sa.Column("id", sa.Integer, primary_key=True, redshift_identity=(1, 1)),
    sa.Column("artist_id", sa.Integer, sa.ForeignKey(artists.c.id)),
    sa.Column("length", sa.Numeric(10, 2), server_default=sa.text("0")),
    sa.Column("seen", sa.DateTime),
    sa.UniqueConstraint("artist_id", "length"),
    redshift_distkey="artist_id",
)
tables.create_all(engine)
with engine.begin() as connection:
    connection.execute(artists.insert(), [{"id": 1, "name": "Zoë"}, {"id": 2, "name": "O'Neil"}])

inspector = sa.inspect(engine)
again = sa.MetaData(schema=schema)
again.reflect(engine)
found = {
    "tables": sorted(inspector.get_table_names(schema)),
    "has": [inspector.has_table("songs", schema), inspector.has_table("nothing", schema)],
    "columns": [
        [column["name"], str(column["type"]), column["nullable"]]
        for column in inspector.get_columns("songs", schema)
    ],
    "primary key": inspector.get_pk_constraint("songs", schema)["constrained_columns"],
    "foreign keys": [
        [key["constrained_columns"], key["referred_table"], key["referred_columns"]]
        for key in inspector.get_foreign_keys("songs", schema)
    ],
    "unique": [key["column_names"] for key in inspector.get_unique_constraints("songs", schema)],
    "options": {
        name: str(value).lower()
        for name, value in inspector.get_table_options("songs", schema).items()
        if value
    },
    "reflected": sorted(again.tables),
}

frame = pandas.DataFrame({"n": [1, 2, 3], "word": ["a", None, "c"]})
frame.to_sql("frame", engine, schema=schema, index=False, method="multi")
frame.to_sql("frame", engine, schema=schema, index=False, method="multi", if_exists="append")
found["appended"] = len(pandas.read_sql_table("frame", engine, schema=schema))
frame.to_sql("frame", engine, schema=schema, index=False, method="multi", if_exists="replace")
found["replaced"] = pandas.read_sql("SELECT SUM(n) AS total FROM " + schema + ".frame", engine).total.tolist()

role = "arn:aws:iam::123456789012:role/sparkify-redshift"
bucket = f"s3://{os.environ['BUCKET']}"
copied = sa.Table("copied", tables, *(sa.Column(name, sa.String(512)) for name in ("song_id", "title")))
copied.create(engine)
copy = dialect.CopyCommand(
    [copied.c.song_id, copied.c.title],
    data_location=f"{bucket}/song_data/",
    iam_role_arns=role,
    format=dialect.Format.json,
    path_file="auto",
)
unload = dialect.UnloadFromSelect(
    select=sa.select(copied.c.song_id),
    unload_location=f"{bucket}/{schema}/",
    iam_role_arns=role,
    format=dialect.Format.csv,
)
# The commands' words are parameters, which redshift_connector would have the server bind.
if driver == "psycopg2":
    with engine.begin() as connection:
        connection.execute(copy)
        connection.execute(unload)
with engine.begin() as connection:
    found["copied"] = connection.execute(sa.select(sa.func.count()).select_from(copied)).scalar()
print(json.dumps(found))
