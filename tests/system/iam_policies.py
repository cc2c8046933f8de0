"""The IAM policies of include/iam, and which of their actions nobody needs."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sandbox.aws.access.policy import Answer, Ask, answer
from sandbox.parts.settings import Settings
from sparkify.cluster.plan import ClusterPlan
from tests.sandbox.aws.client import client
from tests.sandbox.aws.faults import Asked
from tests.system.conftest import ROOT

FOLDER = ROOT / "include" / "iam"
ACCOUNT = "123456789012"
AIRFLOW = ("airflow-load", "airflow-cluster", "airflow-upload")


def document_of(name: str, values: Mapping[str, str]) -> str:
    """A file with its placeholders filled in."""
    text = (FOLDER / f"{name}.json").read_text()
    for placeholder, value in values.items():
        text = text.replace(placeholder, value)
    return text


def statements_of(document: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(document)["Statement"]
    return found


def values_of(plan: ClusterPlan) -> dict[str, str]:
    """What stands for the placeholders."""
    return {
        "ACCOUNT": ACCOUNT,
        "REGION": plan.region,
        "CLUSTER": plan.identifier,
        "SOURCE_BUCKET": plan.source_bucket,
        "WORK_BUCKET": plan.work_bucket,
        "MASTER_USER": plan.user,
        "DB_USER": plan.loader,
        "DATABASE": plan.database,
    }


def as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def is_allowed(documents: Iterable[str], asked: Asked) -> bool:
    ask = Ask(asked.action, asked.resource, asked.context)
    return answer(documents, ask) is Answer.ALLOW


def refused(documents: Iterable[str], asked: Iterable[Asked]) -> set[tuple[str, str]]:
    """The permissions that were needed and that these policies do not give."""
    documents = list(documents)
    return {(one.action, one.resource) for one in asked if not is_allowed(documents, one)}


def needless(document: str, others: Iterable[str], asked: Iterable[Asked]) -> set[tuple[str, str]]:
    """The statements and actions without which everything that was allowed would still be.

    Args:
        document: The policy.
        others: Policies that are attached beside it.
        asked: What was needed.
    """
    others, needed = list(others), [one for one in asked if is_allowed([document, *others], one)]
    return {
        (statement["Sid"], action)
        for statement, action, rest in _shortened(document)
        if not refused([rest, *others], needed)
    }


def _shortened(document: str) -> Iterator[tuple[dict[str, Any], str, str]]:
    """Each action with its statement, and the policy without it."""
    for number, statement in enumerate(statements_of(document)):
        for action in as_list(statement["Action"]):
            rest = json.loads(document)
            left = [other for other in as_list(statement["Action"]) if other != action]
            rest["Statement"][number]["Action"] = left
            if not left:
                del rest["Statement"][number]
            yield statement, action, json.dumps(rest)


@contextmanager
def user_with(settings: Settings, name: str, documents: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """A user who has managed policies, by name, and nothing else; gives AccessKeyId and SecretAccessKey."""
    iam = client(settings, "iam")
    iam.create_user(UserName=name)
    made = []
    for policy_name, document in documents.items():
        made.append(iam.create_policy(PolicyName=policy_name, PolicyDocument=document)["Policy"]["Arn"])
        iam.attach_user_policy(UserName=name, PolicyArn=made[-1])
    key = iam.create_access_key(UserName=name)["AccessKey"]
    try:
        yield key
    finally:
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        for arn in made:
            iam.detach_user_policy(UserName=name, PolicyArn=arn)
            iam.delete_policy(PolicyArn=arn)
        iam.delete_user(UserName=name)


def variables_of(key: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """The variables by which Airflow and boto3 work with a user's key.

    Args:
        key: AccessKeyId and SecretAccessKey.
        environment: Variables with the sandbox's own key.
    """
    connection = json.loads(environment["AIRFLOW_CONN_AWS_DEFAULT"])
    connection |= {"login": key["AccessKeyId"], "password": key["SecretAccessKey"]}
    return {
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        "AIRFLOW_CONN_AWS_DEFAULT": json.dumps(connection),
    }
