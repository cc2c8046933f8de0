"""pyarrow: a table is written as partitioned Parquet into S3 and read back in part."""

import json
import os

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from pyarrow import fs

address = os.environ["AWS_ENDPOINT_URL"].removeprefix("http://")
files = fs.S3FileSystem(endpoint_override=address, scheme="http", region=os.environ["AWS_DEFAULT_REGION"])
bucket = os.environ["BUCKET"]
table = pa.table({"day": ["28", "28", "29"], "plays": pa.array([1, 2, 3], pa.int32())})
pq.write_to_dataset(table, f"{bucket}/pyarrow", partition_cols=["day"], filesystem=files)
pq.write_table(table, f"{bucket}/whole.parquet", filesystem=files)
read = ds.dataset(f"{bucket}/pyarrow", filesystem=files, partitioning="hive")
part = read.to_table(filter=ds.field("day") == 29).to_pydict()
whole = pq.read_table(f"{bucket}/whole.parquet", filesystem=files, columns=["plays"]).num_rows
names = [one.base_name for one in files.get_file_info(fs.FileSelector(f"{bucket}/pyarrow"))]
files.delete_dir(f"{bucket}/pyarrow")
print(json.dumps({"part": part["plays"], "whole": whole, "names": sorted(names)}))
