"""The report: the state of the warehouse as one HTML file to hand on, which needs nothing beside it.

`python -m sparkify_watch.report --out FILE` writes it over the Airflow connection, the task of the DAG
`warehouse_report` to S3. It is made from a mirror of its own, as pages are made from theirs.
"""
