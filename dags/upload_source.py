"""By hand: a folder of source files from the worker to the source bucket on S3."""

from airflow.sdk import DAG, Param

from definitions import DATASETS
from definitions.forms import COMMON
from sparkify.operators import UploadFolderOperator

FOLDERS = [folder for dataset in DATASETS for folder in dataset.folders]

with DAG(
    dag_id="upload_source",
    dag_display_name="upload_source: bring files to S3",
    description="A folder of source files, such as log_data/, from the worker to the source bucket on S3.",
    doc_md="""
### What it does
Uploads every `.json` file below the folders of the datasets (`log_data/`, `song_data/`, …) of a folder on the
worker to S3. Its key is its path inside the folder, as `sparkify_etl` expects it:
`log_data/2018/11/2018-11-12-events.json`.

* A file that is there with the same content is **skipped**, so that it is not staged again.
* A file that has changed **replaces** its object, whole: readers see the old content or the new.
* **Nothing is deleted**, in the bucket or in the folder.
* Files that do not end in `.json`, and what is hidden, are ignored and counted. Links are followed to files
  inside the folder only.

The log has a line every few seconds and at the end: files uploaded, megabytes, files skipped, seconds.

### The bucket
Where it is missing it is made in the region of the Variable `sparkify_region`: no public access, encrypted,
TLS only, with the tag `managed-by=sparkify-warehouse`. An empty bucket that has neither a policy nor tags is
set up likewise. Any other bucket keeps its settings.

The AWS connection needs `s3:ListBucket` on the bucket and `s3:PutObject` on its objects; to make it also what
`include/iam/airflow-upload.json` has.

### Running it again
As often as you like, and after it was stopped at any point: a run does what is left to do. Two things are
uploaded again each time, because their ETag is no MD5 that could be compared: files in a bucket that encrypts
with KMS keys, and files that were uploaded in parts by another program.

### When it fails
* *is no folder on this worker*, *holds no .json file*: the message says what to enter. The folder must be on
  the machine that runs the task, which it names; with several workers, on each of them.
* *Source and work bucket are one*: the work bucket is no place for source files, a teardown may remove it.
* *were not uploaded*: all other files are. The log names each of these with the reason: let the worker's user
  read it, or rename it (a name must be UTF-8, and its path of at most 1,024 bytes); then clear the task.
* *AccessDenied* or *403*: the name is right and the bucket yours? Then the connection lacks a right of those
  above; the message names the operation.
* S3 does not answer: the task tries again by itself and goes on where it was.
""",
    schedule=None,
    **COMMON,
    params={
        # Without a value `airflow dags test` could not tell the DAG's callbacks of the run.
        "folder": Param(
            "/data/sparkify",
            type="string",
            pattern="^/",
            title="Folder",
            description="Absolute path of a folder on the worker that holds one"
            f" or more of {', '.join(FOLDERS)}.",
        ),
        "bucket": Param(
            "",
            type="string",
            pattern="^([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?$",
            title="Bucket",
            description="Where to upload to; made if it is missing. Empty: the Variable"
            " sparkify_source_bucket, which sparkify_etl reads.",
        ),
    },
    tags=["sparkify", "s3", "operations"],
) as dag:
    UploadFolderOperator(
        task_id="upload",
        folder="{{ params.folder }}",
        bucket="{{ params.bucket or var.value.sparkify_source_bucket }}",
        work_bucket="{{ var.value.get('sparkify_work_bucket', '') }}",
        subfolders=FOLDERS,
        region="{{ var.value.get('sparkify_region', '') }}",
        tags={"managed-by": "sparkify-warehouse"},
    )
