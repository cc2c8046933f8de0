"""The tags of DAGs, and what each says of one. DAGs have no others; docs/dags.md explains them to readers."""

from collections.abc import Mapping

TAGS: Mapping[str, str] = {
    "sparkify": "belongs to this project",
    "redshift": "works on the warehouse or on its cluster",
    "s3": "works on the source bucket",
    "etl": "loads a dataset by schedule",
    "operations": "is for those who run the warehouse, mostly by hand",
    "cluster": "makes, stops or removes what costs money",
    "loads": "writes tables: while one of its runs is under way no cluster is stopped and no table reset",
}
