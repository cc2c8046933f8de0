"""s3fs: files are written in one and in many parts, listed, read from the middle, copied, moved, removed."""

import json
import os

import s3fs

bucket = os.environ["BUCKET"]
files = s3fs.S3FileSystem(endpoint_url=os.environ["AWS_ENDPOINT_URL"])
with files.open(f"{bucket}/s3fs/a.txt", "wb") as file:
    file.write(b"0123456789")
with files.open(f"{bucket}/s3fs/large.bin", "wb", block_size=5 * 2**20) as file:
    for letter in b"abc":
        file.write(bytes([letter]) * (5 * 2**20))
files.copy(f"{bucket}/s3fs/a.txt", f"{bucket}/s3fs/b.txt")
files.mv(f"{bucket}/s3fs/b.txt", f"{bucket}/s3fs/c.txt")
with files.open(f"{bucket}/s3fs/a.txt") as file:
    file.seek(4)
    middle = file.read(3).decode()
found = {
    "middle": middle,
    "end": files.cat_file(f"{bucket}/s3fs/large.bin", start=-2).decode(),
    "names": [path.rpartition("/")[2] for path in sorted(files.ls(f"{bucket}/s3fs"))],
    "glob": len(files.glob(f"{bucket}/log_data/2018/11/*.json")),
    "size": files.info(f"{bucket}/s3fs/large.bin")["size"],
}
files.rm(f"{bucket}/s3fs", recursive=True)
found["left"] = files.exists(f"{bucket}/s3fs")
print(json.dumps(found))
