"""Who asks the AWS API, what his policies say, and how he is refused."""

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.aws.client import client

ACCOUNT = "123456789012"
TRUST = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
numbers = itertools.count()


def policy(*statements: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(actions: Any, resource: Any = "*", **condition: Any) -> dict[str, Any]:
    found = {"Effect": "Allow", "Action": actions, "Resource": resource}
    return found | ({"Condition": condition} if condition else {})


def deny(actions: Any, resource: Any = "*", **condition: Any) -> dict[str, Any]:
    return allow(actions, resource, **condition) | {"Effect": "Deny"}


class Caller:
    """A user of the account who has what `allow` was called with."""

    def __init__(self, world: Any) -> None:
        self.world = world
        self.iam = world.client("iam")
        self.name = f"u{next(numbers)}"
        self.arn = self.iam.create_user(UserName=self.name)["User"]["Arn"]
        self.key = self.iam.create_access_key(UserName=self.name)["AccessKey"]

    def may(self, *statements: Any) -> "Caller":
        self.iam.put_user_policy(UserName=self.name, PolicyName="p", PolicyDocument=policy(*statements))
        return self

    def client(self, service: str) -> Any:
        return client(
            self.world.settings,
            service,
            aws_access_key_id=self.key["AccessKeyId"],
            aws_secret_access_key=self.key["SecretAccessKey"],
        )


def refusal(call: Callable[..., Any], **arguments: Any) -> tuple[str, str]:
    """Code and message of a call that must be refused."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def long_policy(size: int) -> str:
    """A policy of so many characters, white space not counted."""
    text = policy(allow("s3:GetObject", "arn:aws:s3:::"))
    return text.replace(":::", f":::{'b' * (size - len(''.join(text.split())))}")
