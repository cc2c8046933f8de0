"""A load has what airflow-load.json allows, its COPY what the cluster's role may, and no action too much."""

import dataclasses
import json
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.parts.settings import WORK_BUCKET, Settings
from sparkify.aws import Aws
from sparkify.cluster.cluster import find_cluster
from sparkify.cluster.life import make_cluster, remove_cluster
from sparkify.cluster.network import make_network
from sparkify.cluster.plan import ClusterPlan
from sparkify.cluster.role import make_role, role_policy
from sparkify.cluster.status import connection_json
from tests.pipeline import Source
from tests.records import event
from tests.sandbox.aws.client import client
from tests.sandbox.aws.faults import aws_faults
from tests.sparkify.cluster.steps import make_boundary
from tests.system.conftest import execute
from tests.system.iam_policies import document_of, needless, user_with, values_of, variables_of

PATIENCE_SECONDS = 60


@dataclasses.dataclass
class Account:
    """The session's sandbox as an AWS account."""

    settings: Settings

    def client(self, service: str) -> Any:
        return client(self.settings, service)


@pytest.fixture
def plan(sandbox: Settings, source: Source) -> Iterator[ClusterPlan]:
    """A cluster that an administrator has made."""
    found = ClusterPlan(
        identifier="loads",
        source_bucket=source.bucket,
        work_bucket=WORK_BUCKET,
        region=sandbox.region,
        allowed_cidr="172.31.0.0/16",
        final_snapshot=False,
    )
    make_boundary(Account(sandbox), found)
    aws = Aws("aws_default", found.region)
    for step in (make_role, make_network, make_cluster):
        step(aws, found)
    wait_for(aws, found, "available")
    yield found
    remove_cluster(aws, found)
    wait_for(aws, found, None)


def wait_for(aws: Aws, plan: ClusterPlan, status: str | None) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (found := find_cluster(aws, plan.identifier)) is not None or status is not None:
        if found is not None and found.status == status:
            return
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


def test_loads_and_the_report_need_every_action_of_their_policy_and_of_the_clusters_role(
    sandbox, plan, source, run_etl, warehouse
):
    from dags.warehouse_report import dag as report

    source.put_events("2018-11-15", [event("2018-11-15T09:30:00")])
    source.put_song("TRAAA1", title="Unknown")
    document = document_of("airflow-load", values_of(plan))
    with (
        user_with(sandbox, "loader", {"load": document}) as key,
        pytest.MonkeyPatch.context() as patch,
        aws_faults(sandbox) as journal,
    ):
        for name, value in variables_of(key, os.environ).items():
            patch.setenv(name, value)
        patch.setenv("AIRFLOW_CONN_REDSHIFT_DEFAULT", connection_json(plan))
        journal.forget_asked()
        assert run_etl(("2018-11-15T09:00:00", "2018-11-15T10:00:00")).state == "success"
        assert execute(report.get_task("write_report"), {}, "report").startswith(
            f"s3://{WORK_BUCKET}/reports/"
        )
        asked = journal.asked()
    assert warehouse.counts()["songplays"] == 1
    loads = [one for one in asked if one.principal.endswith("user/loader")]
    # The driver takes 127.0.0.1 for a domain of one's own first, and then asks by the cluster's name.
    refused = {one.resource for one in loads if not one.allowed}
    assert all("cluster:*" in arn or "dbuser:/" in arn for arn in refused), refused
    assert needless(document, [], loads) == set()
    copies = [one for one in asked if "assumed-role/loads-cluster/" in one.principal]
    assert {one.allowed for one in copies} == {True}
    # "COPY must have LIST access to the bucket" (Developer Guide, "Credentials and access permissions"); the
    # sandbox's lists prefixes only, and loads give it manifests.
    named = [{**one, "Sid": str(n)} for n, one in enumerate(role_policy(plan)["Statement"])]
    assert needless(json.dumps({"Statement": named}), [], copies) == {("0", "s3:ListBucket")}
    boundary = document_of("cluster-boundary", values_of(plan))
    assert needless(boundary, [], copies) == {("ReadNothingButTheBuckets", "s3:ListBucket")}
