"""Topics take messages from whom policies let, and nobody is called."""

import itertools

import pytest

from tests.sandbox.aws.faults import AwsFaults
from tests.sandbox.aws.iam_callers import Caller, allow, refusal

pytest_plugins = ("tests.sandbox.aws.cluster_fixtures",)

_numbers = itertools.count()


@pytest.fixture
def topic(world):
    return world.client("sns").create_topic(Name=f"alerts-{next(_numbers)}")["TopicArn"]


def test_what_is_published_can_be_read(world, topic):
    world.client("sns").publish(TopicArn=topic, Message="Hello", Subject="Greeting")
    found = [one for one in AwsFaults(world.settings).published() if one["topic"] == topic]
    assert found == [{"topic": topic, "subject": "Greeting", "message": "Hello", "attributes": {}}]


def test_the_statement_of_the_page_on_alerts_lets_airflow_publish_to_its_topic_alone(world, topic):
    other = world.client("sns").create_topic(Name="other")["TopicArn"]
    airflow = Caller(world).may(allow("sns:Publish", topic)).client("sns")
    airflow.publish(TopicArn=topic, Message="Hello")
    airflow.publish(TargetArn=topic, Message="Hello")
    for arguments in ({"TopicArn": other}, {"TargetArn": other}, {"PhoneNumber": "+15550100"}):
        code, message = refusal(airflow.publish, Message="Hello", **arguments)
        assert code == "AuthorizationError"
        assert "sns:Publish" in message
    assert refusal(airflow.create_topic, Name="third")[0] == "AuthorizationError"


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("subscribe", {"TopicArn": "{topic}", "Protocol": "http", "Endpoint": "http://127.0.0.1:9/"}),
        ("create_platform_application", {"Name": "a", "Platform": "GCM", "Attributes": {}}),
        ("add_permission", {"TopicArn": "{topic}", "Label": "l", "AWSAccountId": ["1"], "ActionName": ["*"]}),
    ],
)
def test_nothing_else_of_sns_is_served(world, topic, method, arguments):
    given = {name: topic if value == "{topic}" else value for name, value in arguments.items()}
    code, message = refusal(getattr(world.client("sns"), method), **given)
    assert code == "InvalidAction"
    assert "Of SNS the sandbox has CreateTopic" in message
