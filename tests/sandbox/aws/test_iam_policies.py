"""What a policy says, by the guide's words on conditions, patterns and limits."""

import pytest

from sandbox.aws.access.policy import Answer, Ask, answer
from tests.sandbox.aws.iam_callers import ACCOUNT, TRUST, allow, long_policy, numbers, policy, refusal

pytest_plugins = ("tests.sandbox.aws.cluster_fixtures",)

PASS = {
    "aws:RequestTag/a": ["1"],
    "aws:TagKeys": ["a", "b"],
    "n": ["5"],
    "ip": ["10.1.2.3"],
    "w": ["x*y"],
    "when": ["2018-11-15T00:00:00+00:00"],
    "arn": ["arn:aws:iam::1:policy/a-b"],
    "flag": ["true"],
}


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"StringEquals": {"AWS:requesttag/a": ["0", "1"]}}, True),
        ({"StringEquals": {"aws:RequestTag/a": "A"}}, False),
        ({"StringEquals": {"absent": "1"}}, False),
        ({"StringEqualsIfExists": {"absent": "1"}}, True),
        ({"StringNotEquals": {"absent": "1"}}, True),
        ({"StringNotEquals": {"aws:RequestTag/a": ["0", "1"]}}, False),
        ({"StringLike": {"w": "x${*}y"}}, True),
        ({"StringLike": {"w": "?*y"}}, True),
        ({"StringLike": {"w": "x[*]y"}}, False),
        ({"StringEquals": {"w": "x${*}y"}}, True),
        ({"StringEquals": {"w": "${absent, 'x*y'}"}}, True),
        ({"Null": {"absent": "true", "n": "false"}}, True),
        ({"Null": {"n": True}}, False),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b", "c"]}}, True),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}}, False),
        ({"ForAllValues:StringEquals": {"absent": ["a"]}}, True),
        ({"ForAnyValue:StringEquals": {"aws:TagKeys": ["b", "c"]}}, True),
        ({"ForAnyValue:StringEquals": {"absent": ["a"]}}, False),
        ({"NumericLessThanEquals": {"n": "5"}, "NumericGreaterThan": {"n": 4}}, True),
        ({"NumericLessThan": {"n": "5"}}, False),
        ({"IpAddress": {"ip": ["192.168.0.0/16", "10.0.0.0/8"]}}, True),
        ({"NotIpAddress": {"ip": "10.0.0.0/8"}}, False),
        ({"NumericLessThan": {"w": "5"}}, False),
        ({"IpAddress": {"w": "10.0.0.0/8"}}, False),
        ({"DateGreaterThan": {"when": "2018-11-01T00:00:00Z"}}, True),
        ({"DateGreaterThan": {"w": "2018-11-01T00:00:00Z"}}, False),
        ({"ArnLike": {"arn": "arn:aws:iam::*:policy/a-*"}}, True),
        ({"ArnLike": {"arn": "arn:aws:*:policy/a-*"}}, False),
        ({"ArnNotEquals": {"arn": "arn:aws:iam::1:policy/b"}}, True),
        ({"Bool": {"flag": True}}, True),
    ],
)
def test_conditions_compare_as_the_guide_says(condition, holds):
    found = answer([policy(allow("s:A", "r", **condition))], Ask("s:A", "r", PASS))
    assert found is (Answer.ALLOW if holds else Answer.NOTHING)


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ({"Action": "S3:getobject", "Resource": "arn:aws:s3:::b/*"}, Answer.ALLOW),
        ({"Action": "s3:Get*", "Resource": "arn:aws:s3:::?/k"}, Answer.ALLOW),
        ({"Action": "s3:GetObject", "Resource": "ARN:aws:s3:::b/k"}, Answer.NOTHING),
        ({"Action": "s3:GetObject", "Resource": "arn:aws:s3:::b"}, Answer.NOTHING),
        ({"NotAction": "iam:*", "Resource": "*"}, Answer.ALLOW),
        ({"NotAction": "s3:*", "Resource": "*"}, Answer.NOTHING),
        ({"Action": "*", "NotResource": "arn:aws:s3:::b/*"}, Answer.NOTHING),
        ({"Action": "s3:GetObject", "Resource": "arn:aws:s3:::[b]/k"}, Answer.NOTHING),
        ({"Action": "s3:*", "Resource": "arn:aws:s3:::${aws:username}/k"}, Answer.ALLOW),
    ],
)
def test_actions_and_resources_match_as_the_guide_says(statement, found):
    ask = Ask("s3:GetObject", "arn:aws:s3:::b/k", {"aws:username": ["b"]})
    assert answer([policy({"Effect": "Allow", **statement})], ask) is found


def test_a_pattern_of_many_stars_takes_no_time():
    asked = Ask("s:A", "a" * 1000, {})
    assert answer([policy(allow("s:A", "*a" * 60 + "b"))], asked) is Answer.NOTHING
    assert answer([policy(allow("s:A", "*a" * 60 + "*"))], asked) is Answer.ALLOW


@pytest.mark.parametrize(
    ("kind", "limit"),
    [("user", 2048), ("group", 5120), ("role", 10240)],
)
def test_inline_policies_have_a_limit_in_all(world, kind, limit):
    iam, name = world.client("iam"), f"q{next(numbers)}"
    made = {"AssumeRolePolicyDocument": policy(TRUST)} if kind == "role" else {}
    getattr(iam, f"create_{kind}")(**{f"{kind.title()}Name": name}, **made)
    put = getattr(iam, f"put_{kind}_policy")
    first, second = long_policy(limit - 500), long_policy(500)
    who = {f"{kind.title()}Name": name}
    put(**who, PolicyName="a", PolicyDocument=first)
    put(**who, PolicyName="b", PolicyDocument=second.replace(",", ", \n "))
    put(**who, PolicyName="a", PolicyDocument=first)
    code, message = refusal(put, **who, PolicyName="c", PolicyDocument=policy(allow("s3:GetObject")))
    assert (code, message) == (
        "LimitExceeded",
        f"Maximum policy size of {limit} bytes exceeded for {kind} {name}",
    )


def test_a_trust_policy_has_a_limit_and_a_boundary_has_to_be_there(world):
    iam = world.client("iam")
    long = policy(TRUST | {"Sid": "s" * 2048})
    assert refusal(iam.create_role, RoleName="t", AssumeRolePolicyDocument=long) == (
        "LimitExceeded",
        "Cannot exceed quota for ACLSizePerRole: 2048",
    )
    missing = f"arn:aws:iam::{ACCOUNT}:policy/none"
    role = {"RoleName": "t", "AssumeRolePolicyDocument": policy(TRUST)}
    assert refusal(iam.create_role, **role, PermissionsBoundary=missing)[0] == "NoSuchEntity"
    # moto has none of users, and would let them do everything.
    there = f"arn:aws:iam::{ACCOUNT}:policy/sparkify-boundary"
    assert refusal(iam.create_user, UserName="t", PermissionsBoundary=there)[0] == "NotImplemented"
