"""redshift_connector with pandas: frames written and read, a file inserted in bulk, the catalog."""

import json
import os
import tempfile
from pathlib import Path

import pandas
import redshift_connector

connection = redshift_connector.connect(
    host=os.environ["PGHOST"],
    port=int(os.environ["PGPORT"]),
    user=os.environ["PGUSER"],
    password=os.environ["PGPASSWORD"],
    database=os.environ["PGDATABASE"],
    ssl=False,
)
connection.autocommit = True
cursor = connection.cursor()
cursor.execute("CREATE SCHEMA connector")
cursor.execute("CREATE TABLE connector.written (id INTEGER NOT NULL, word VARCHAR(20), PRIMARY KEY (id))")

cursor.write_dataframe(pandas.DataFrame({"id": [1, 2, 3], "word": ["a", "é", "c"]}), "connector.written")
cursor.execute("SELECT id, word FROM connector.written ORDER BY id")
frame = cursor.fetch_dataframe()

path = Path(tempfile.mkdtemp()) / "rows.csv"
path.write_text("id,word\n4,d\n5,e\n6,f\n")
cursor.insert_data_bulk(str(path), "connector.written", [0, 1], ["id", "word"], ",", 2)
cursor.execute("SELECT word FROM connector.written WHERE id > 3 ORDER BY id")
bulk = [word for [word] in cursor.fetchall()]

print(json.dumps({"frame": frame.values.tolist(), "bulk": bulk}))
