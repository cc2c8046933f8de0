"""Where tests unload to, and a role that may."""

import json
import uuid

import pytest

from sandbox.parts.settings import ROLE_NAME
from tests.sandbox.aws.client import client
from tests.sandbox.redshift.copying import BUCKET


@pytest.fixture(scope="module")
def writing_role(sandbox):
    """The cluster's role may write, which it may not by itself."""
    iam = client(sandbox, "iam")
    actions = ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
    allowed = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_role_policy(RoleName=ROLE_NAME, PolicyName="unload", PolicyDocument=policy)
    yield
    iam.delete_role_policy(RoleName=ROLE_NAME, PolicyName="unload")


@pytest.fixture
def target(s3, put):
    """The address of a prefix of the test's own."""
    return put() + f"{uuid.uuid4().hex}_"


@pytest.fixture
def objects(s3):
    """The bytes below an address by what stands behind it."""

    def read(url):
        prefix = url.removeprefix(f"s3://{BUCKET}/")
        found = s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
        return {
            entry["Key"].removeprefix(prefix): s3.get_object(Bucket=BUCKET, Key=entry["Key"])["Body"].read()
            for entry in found
        }

    return read
