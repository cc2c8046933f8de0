"""By hand: the state of the warehouse as one HTML page on S3."""

from airflow.sdk import DAG

from definitions.forms import COMMON
from sparkify_watch.report.operator import WarehouseReportOperator

with DAG(
    dag_id="warehouse_report",
    dag_display_name="warehouse_report: one page to hand on",
    description="The state of the warehouse as one HTML page on S3, to hand on.",
    doc_md="""
### What it does
Writes one HTML page below `reports/` in the work bucket: for each dataset how fresh its tables are, their
rows over time and the answers to the analysts' questions, then the history of every check and the rejected
rows. The page needs no script and no other file, so it can be sent, kept and printed. The task returns its
address on S3, which its log says, too.

It only reads the warehouse, beside loads, and can be triggered at any time. Each run writes another page;
nothing removes them, and a teardown that is to remove the work bucket stops at them.

### When it fails
* The warehouse cannot be reached: the message says why; a paused cluster has to be resumed first.
* *AccessDenied*: the policy `include/iam/airflow-load.json` allows to write below `reports/`; attach it as
  it is now.
* *NoSuchBucket*: the Variable `sparkify_work_bucket` names a bucket that is not there; `redshift_cluster`
  makes it.
""",
    schedule=None,
    **COMMON,
    tags=["sparkify", "redshift", "operations"],
) as dag:
    WarehouseReportOperator(
        task_id="write_report",
        bucket="{{ var.value.sparkify_work_bucket }}",
        region="{{ var.value.get('sparkify_region', '') }}",
    )
