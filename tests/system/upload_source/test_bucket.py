"""upload_source: the bucket is made private where it is missing, else left as it is."""

import json

import pytest
from airflow.sdk.exceptions import AirflowFailException

from tests.system.upload_source.conftest import FILES, code_of, contents, objects

SETTINGS = ["PutBucketTagging", "PutPublicAccessBlock", "PutBucketEncryption", "PutBucketPolicy"]
TAGS = [{"Key": "managed-by", "Value": "sparkify-warehouse"}]


def assert_private(s3, bucket):
    """No public access, encrypted, and closed to everything but TLS."""
    assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": True,
        "RestrictPublicBuckets": True,
    }
    (rule,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    (statement,) = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Resource"] == [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == TAGS


def test_a_missing_bucket_is_made_private_and_tls_only(run, s3, missing_bucket, folder):
    run(folder)
    assert_private(s3, missing_bucket)
    assert s3.get_bucket_location(Bucket=missing_bucket)["LocationConstraint"] is None
    assert contents(s3, missing_bucket) == FILES


def test_a_missing_bucket_is_made_in_the_region_of_the_variable(run, s3, missing_bucket, folder, monkeypatch):
    monkeypatch.setenv("AIRFLOW_VAR_SPARKIFY_REGION", "eu-west-1")
    run(folder)
    assert s3.get_bucket_location(Bucket=missing_bucket)["LocationConstraint"] == "eu-west-1"
    assert_private(s3, missing_bucket)


def test_the_bucket_is_made_over_the_endpoint_of_its_region(run, bucket, folder, monkeypatch):
    # AWS refuses a LocationConstraint other than the endpoint's; the sandbox has one endpoint.
    monkeypatch.setenv("AIRFLOW_VAR_SPARKIFY_REGION", "eu-west-1")
    used = []
    monkeypatch.setattr(
        "sparkify.operators.upload_folder.provide_bucket", lambda s3, *_: used.append(s3.meta.region_name)
    )
    run(folder)
    assert used == ["eu-west-1"]


@pytest.mark.parametrize("action", SETTINGS)
def test_a_bucket_that_could_not_be_set_up_is_set_up_by_the_next_run(
    run, s3, missing_bucket, folder, faults, action
):
    faults.error("s3", action, "AccessDenied", message="no", status=403)
    with pytest.raises(AirflowFailException, match=f"{action} was refused, AccessDenied"):
        run(folder)
    assert objects(s3, missing_bucket) == {}

    run(folder)

    assert_private(s3, missing_bucket)
    assert contents(s3, missing_bucket) == FILES


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
def test_a_bucket_made_without_an_answer_is_taken_for_made(
    run, s3, missing_bucket, folder, faults, monkeypatch, region
):
    monkeypatch.setenv("AIRFLOW_VAR_SPARKIFY_REGION", region)
    faults.drop_after("s3", "CreateBucket")
    run(folder)
    assert faults.actions("s3").count("s3:CreateBucket") == 2
    assert_private(s3, missing_bucket)


def test_a_bucket_in_use_keeps_its_settings(run, s3, bucket, folder):
    run(folder)
    assert code_of(s3.get_bucket_policy, Bucket=bucket) == "NoSuchBucketPolicy"
    assert code_of(s3.get_bucket_tagging, Bucket=bucket) == "NoSuchTagSet"


def test_an_empty_bucket_that_somebody_set_up_keeps_its_settings(run, s3, source, folder):
    tags = [{"Key": "owner", "Value": "somebody"}]
    s3.put_bucket_tagging(Bucket=source.bucket, Tagging={"TagSet": tags})
    run(folder)
    assert s3.get_bucket_tagging(Bucket=source.bucket)["TagSet"] == tags
    assert code_of(s3.get_bucket_policy, Bucket=source.bucket) == "NoSuchBucketPolicy"


def test_an_empty_bucket_with_a_policy_keeps_it(run, s3, source, folder):
    allow = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "s3:*"}
    statement = {**allow, "Sid": "Theirs", "Resource": f"arn:aws:s3:::{source.bucket}/*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    s3.put_bucket_policy(Bucket=source.bucket, Policy=policy)
    run(folder)
    assert json.loads(s3.get_bucket_policy(Bucket=source.bucket)["Policy"]) == json.loads(policy)
    assert code_of(s3.get_bucket_tagging, Bucket=source.bucket) == "NoSuchTagSet"


def test_who_may_only_list_and_put_can_use_an_empty_bucket(run, s3, source, folder, faults):
    faults.error("s3", "GetBucketPolicy", "AccessDenied", status=403)
    assert run(folder)["uploaded"] == 4
    assert "s3:PutBucketPolicy" not in faults.actions("s3")


def test_the_work_bucket_is_no_place_for_source_files(run, s3, bucket, folder, faults, monkeypatch):
    monkeypatch.setenv("AIRFLOW_VAR_SPARKIFY_WORK_BUCKET", bucket)
    with pytest.raises(AirflowFailException, match=r"are one.*sparkify_source_bucket.*sparkify_work_bucket"):
        run(folder)
    monkeypatch.setenv("AIRFLOW_VAR_SPARKIFY_WORK_BUCKET", "other")
    with pytest.raises(AirflowFailException, match="are one"):
        run(folder, bucket="other")
    assert faults.actions("s3") == []


def test_a_bucket_name_of_another_account_is_refused_with_a_remedy(run, missing_bucket, folder, faults):
    faults.error("s3", "CreateBucket", "BucketAlreadyExists", status=409)
    with pytest.raises(AirflowFailException, match=f"{missing_bucket} is taken by another account.*Choose"):
        run(folder)


def test_a_bucket_that_may_not_be_seen_is_refused_for_good(run, bucket, folder, faults):
    faults.error("s3", "HeadBucket", "403", status=403)
    with pytest.raises(AirflowFailException, match="HeadBucket was refused"):
        run(folder)
