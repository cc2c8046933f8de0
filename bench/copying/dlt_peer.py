"""dlt's filesystem → postgres, for a Python that has dlt: the address of a folder, a file, S3's endpoint.

Prints the seconds that `pipeline.run` took. The keys of S3 and the database's DSN come by the environment.
"""

import os
import sys
import time


def main() -> None:
    """Load one file."""
    import dlt  # type: ignore[import-not-found] # noqa: PLC0415 - only its own environment has it
    from dlt.sources.filesystem import (  # type: ignore[import-not-found] # noqa: PLC0415
        filesystem,
        read_jsonl,
    )

    folder, name, endpoint = sys.argv[1:]
    database = dlt.destinations.postgres(os.environ["DSN"])
    keys = {
        "aws_access_key_id": os.environ["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": os.environ["AWS_SECRET_ACCESS_KEY"],
        "endpoint_url": endpoint,
        "region_name": "us-east-1",
    }
    files = filesystem(bucket_url=folder, credentials=keys, file_glob=name)
    pipeline = dlt.pipeline("bench_copying", destination=database, dataset_name="by_dlt")
    begun = time.perf_counter()
    pipeline.run((files | read_jsonl()).with_name("events"), write_disposition="replace")
    print(time.perf_counter() - begun)


if __name__ == "__main__":
    main()
