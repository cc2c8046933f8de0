"""Redshift Serverless: the life of namespaces and workgroups, and what is refused."""

from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.sandbox.aws.clusters import World, code_of
from tests.sandbox.aws.serverless import make_namespace, make_workgroup, new_name, serverless, status_of

pytest_plugins = ("tests.sandbox.aws.cluster_fixtures",)


@pytest.fixture
def api(world: World):
    return serverless(world)


class TestLife:
    def test_a_namespace_is_modifying_and_then_available(self, world, api):
        name = new_name()
        made = api.create_namespace(namespaceName=name, dbName="sparkify")["namespace"]
        assert (made["status"], made["dbName"]) == ("MODIFYING", "sparkify")
        assert abs(made["creationDate"] - datetime.now(UTC)) < timedelta(minutes=1)
        world.time.pass_phase()
        assert status_of(world, "namespace", name) == "AVAILABLE"

    def test_a_workgroup_has_no_endpoint_until_it_is_available_and_its_namespace_is_busy(self, world, api):
        name = make_namespace(world)
        made = api.create_workgroup(workgroupName=name, namespaceName=name, baseCapacity=8)["workgroup"]
        assert (made["status"], made["baseCapacity"]) == ("CREATING", 8)
        assert "endpoint" not in made
        assert status_of(world, "namespace", name) == "MODIFYING"
        world.time.pass_phase()
        ready = api.get_workgroup(workgroupName=name)["workgroup"]
        assert ready["status"] == "AVAILABLE"
        assert ready["endpoint"]["address"] == "127.0.0.1"
        assert ready["endpoint"]["port"] > 1023
        assert ready["publiclyAccessible"] is False
        assert status_of(world, "namespace", name) == "AVAILABLE"

    def test_workgroup_and_namespace_are_deleted_one_after_the_other(self, world, api):
        name = make_workgroup(world)
        assert code_of(api.delete_namespace, namespaceName=name) == "ConflictException"
        assert api.delete_workgroup(workgroupName=name)["workgroup"]["status"] == "DELETING"
        assert code_of(api.delete_namespace, namespaceName=name) == "ConflictException"
        world.time.pass_phase()
        assert status_of(world, "workgroup", name) is None
        assert api.delete_namespace(namespaceName=name)["namespace"]["status"] == "DELETING"
        world.time.pass_phase()
        assert status_of(world, "namespace", name) is None

    @pytest.mark.parametrize("change", ["update", "delete"])
    def test_what_is_on_its_way_is_not_changed(self, world, api, change):
        name = make_namespace(world)
        api.create_workgroup(workgroupName=name, namespaceName=name)
        given = {"baseCapacity": 16} if change == "update" else {}
        assert code_of(getattr(api, f"{change}_workgroup"), workgroupName=name, **given) == (
            "ConflictException"
        )
        world.time.pass_phase()
        getattr(api, f"{change}_workgroup")(workgroupName=name, **given)

    def test_a_workgroup_is_not_made_before_its_namespace_is_available(self, world, api):
        name = new_name()
        api.create_namespace(namespaceName=name)
        given = {"workgroupName": name, "namespaceName": name}
        assert code_of(api.create_workgroup, **given) == "ConflictException"
        world.time.pass_phase()
        api.create_workgroup(**given)

    def test_a_namespace_has_one_workgroup(self, world, api):
        name = make_workgroup(world)
        given = {"workgroupName": new_name(), "namespaceName": name}
        assert code_of(api.create_workgroup, **given) == "ConflictException"

    def test_a_name_is_taken_until_its_owner_is_gone(self, world, api):
        name = make_namespace(world)
        assert code_of(api.create_namespace, namespaceName=name) == "ConflictException"
        api.delete_namespace(namespaceName=name)
        assert code_of(api.create_namespace, namespaceName=name) == "ConflictException"
        world.time.pass_phase()
        api.create_namespace(namespaceName=name)

    def test_one_setting_of_a_workgroup_is_changed_at_a_time(self, world, api):
        name = make_workgroup(world)
        two = {"baseCapacity": 16, "publiclyAccessible": False}
        assert code_of(api.update_workgroup, workgroupName=name, **two) == "ValidationException"
        changed = api.update_workgroup(workgroupName=name, baseCapacity=16)["workgroup"]
        assert (changed["status"], changed["baseCapacity"]) == ("MODIFYING", 16)


class TestArguments:
    @pytest.mark.parametrize(
        "settings",
        [
            {"workgroupName": "Upper"},
            {"workgroupName": "a" * 65},
            {"baseCapacity": 0},
            {"baseCapacity": 12},
            {"baseCapacity": 520},
            {"baseCapacity": 16, "maxCapacity": 8},
            {"port": 1234},
            {"configParameters": [{"parameterKey": "require_ssl", "parameterValue": "false"}]},
            {"securityGroupIds": ["sg-none"]},
            {"subnetIds": ["subnet-none"]},
            {"ipAddressType": "ipv5"},
        ],
    )
    def test_a_workgroup_that_aws_would_not_make_is_refused(self, world, api, settings):
        name = make_namespace(world)
        given = {"workgroupName": name, "namespaceName": name, **settings}
        assert code_of(api.create_workgroup, **given) == "ValidationException"
        api.create_workgroup(workgroupName=name, namespaceName=name, baseCapacity=4)

    def test_what_botocores_clients_would_not_send_is_refused(self, world, api):
        unchecked = boto3.client(
            "redshift-serverless",
            aws_access_key_id=world.settings.aws_access_key_id,
            aws_secret_access_key=world.settings.aws_secret_access_key,
            endpoint_url=world.settings.aws_endpoint_url,
            region_name=world.settings.region,
            config=Config(parameter_validation=False),
        )
        for given in ({}, {"namespaceName": "ab"}):
            assert code_of(unchecked.create_namespace, **given) == "ValidationException"

    def test_subnets_span_three_zones(self, world, api):
        name = make_namespace(world)
        subnets = [one["SubnetId"] for one in world.client("ec2").describe_subnets()["Subnets"]]
        given = {"workgroupName": name, "namespaceName": name}
        assert code_of(api.create_workgroup, **given, subnetIds=subnets[:2]) == "ValidationException"
        assert code_of(api.create_workgroup, **given, subnetIds=subnets[:1] * 3) == "ValidationException"
        api.create_workgroup(**given, subnetIds=subnets)

    @pytest.mark.parametrize(
        "settings",
        [
            {"adminUsername": "admin"},
            {"adminUserPassword": "Sparkify1"},
            {"adminUsername": "admin", "adminUserPassword": "short"},
            {"adminUsername": "admin", "adminUserPassword": "Sparkify1", "manageAdminPassword": True},
            {"adminPasswordSecretKmsKeyId": "key"},
            {"defaultIamRoleArn": "arn:aws:iam::123456789012:role/r"},
            {"iamRoles": ["arn:aws:iam::123456789012:role/nobodys"]},
            {"dbName": "a:b"},
            {"logExports": ["otherlog"]},
        ],
    )
    def test_a_namespace_that_aws_would_not_make_is_refused(self, api, settings):
        assert code_of(api.create_namespace, namespaceName=new_name(), **settings) == "ValidationException"

    @pytest.mark.parametrize("operation", ["get", "update", "delete"])
    @pytest.mark.parametrize("kind", ["namespace", "workgroup"])
    def test_what_is_not_there_is_not_found(self, api, operation, kind):
        call = getattr(api, f"{operation}_{kind}")
        assert code_of(call, **{f"{kind}Name": "nobodys"}) == "ResourceNotFoundException"


class TestUsageLimits:
    def test_a_limit_is_made_changed_and_removed(self, world, api):
        name = make_workgroup(world)
        arn = api.get_workgroup(workgroupName=name)["workgroup"]["workgroupArn"]
        limit = {"resourceArn": arn, "usageType": "serverless-compute", "amount": 8, "period": "daily"}
        made = api.create_usage_limit(**limit, breachAction="deactivate")["usageLimit"]
        assert (made["amount"], made["period"], made["breachAction"]) == (8, "daily", "deactivate")
        again = {**limit, "breachAction": "deactivate"}
        assert code_of(api.create_usage_limit, **again) == "ConflictException"
        api.update_usage_limit(usageLimitId=made["usageLimitId"], amount=9)
        assert [one["amount"] for one in api.list_usage_limits(resourceArn=arn)["usageLimits"]] == [9]
        api.delete_usage_limit(usageLimitId=made["usageLimitId"])
        assert api.list_usage_limits(resourceArn=arn)["usageLimits"] == []
        gone = {"usageLimitId": made["usageLimitId"]}
        assert code_of(api.delete_usage_limit, **gone) == "ResourceNotFoundException"

    def test_amounts_are_positive_and_there_are_at_most_four_of_a_type(self, world, api):
        name = make_workgroup(world)
        arn = api.get_workgroup(workgroupName=name)["workgroup"]["workgroupArn"]
        limit = {"resourceArn": arn, "usageType": "serverless-compute"}
        assert code_of(api.create_usage_limit, **limit, amount=0) == "ValidationException"
        for period in ("daily", "weekly", "monthly"):
            api.create_usage_limit(**limit, amount=8, period=period)
        api.create_usage_limit(**limit, amount=8, period="daily", breachAction="deactivate")
        fifth = {**limit, "amount": 8, "period": "weekly", "breachAction": "deactivate"}
        assert code_of(api.create_usage_limit, **fifth) == "ServiceQuotaExceededException"

    def test_a_limit_belongs_to_something(self, api):
        arn = "arn:aws:redshift-serverless:us-east-1:123456789012:workgroup/none"
        given = {"resourceArn": arn, "usageType": "serverless-compute", "amount": 8}
        assert code_of(api.create_usage_limit, **given) == "ResourceNotFoundException"


class TestTagsAndLists:
    def test_tags_are_given_replaced_and_taken(self, world, api):
        name = make_namespace(world, tags=[{"key": "managed-by", "value": "me"}])
        arn = api.get_namespace(namespaceName=name)["namespace"]["namespaceArn"]
        api.tag_resource(
            resourceArn=arn, tags=[{"key": "managed-by", "value": "you"}, {"key": "a", "value": "b"}]
        )
        api.untag_resource(resourceArn=arn, tagKeys=["a", "none"])
        assert api.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "managed-by", "value": "you"}]
        many = [{"key": f"k{number}", "value": ""} for number in range(51)]
        assert code_of(api.tag_resource, resourceArn=arn, tags=many) == "TooManyTagsException"
        assert code_of(api.list_tags_for_resource, resourceArn=f"{arn}x") == "ResourceNotFoundException"

    def test_lists_come_in_pages(self, world, api):
        names = {make_workgroup(world) for _ in range(3)}
        pages = api.get_paginator("list_workgroups").paginate(PaginationConfig={"PageSize": 2})
        sizes, found = [], set()
        for page in pages:
            sizes.append(len(page["workgroups"]))
            found |= {one["workgroupName"] for one in page["workgroups"]}
        assert names <= found
        assert max(sizes) == 2
        for token in ("position--1", "elsewhere"):
            assert code_of(api.list_namespaces, nextToken=token) == "ValidationException"


class TestSnapshots:
    def test_the_last_one_is_made_as_the_namespace_goes(self, world, api):
        name = make_namespace(world, dbName="sparkify")
        api.delete_namespace(namespaceName=name, finalSnapshotName=f"{name}-final")
        [made] = api.list_snapshots(namespaceName=name)["snapshots"]
        assert (made["snapshotName"], made["status"]) == (f"{name}-final", "CREATING")
        world.time.pass_phase()
        assert api.get_snapshot(snapshotName=f"{name}-final")["snapshot"]["status"] == "AVAILABLE"
        api.delete_snapshot(snapshotName=f"{name}-final")
        assert api.list_snapshots(namespaceName=name)["snapshots"] == []

    def test_a_namespace_without_a_workgroup_has_none_of_its_own(self, world, api):
        name = make_namespace(world)
        given = {"namespaceName": name, "snapshotName": f"{name}-1"}
        assert code_of(api.create_snapshot, **given) == "ValidationException"
        api.create_workgroup(workgroupName=name, namespaceName=name)
        world.time.pass_phase()
        api.create_snapshot(**given)
        world.time.pass_phase()
        restored = api.restore_from_snapshot(workgroupName=name, **given)["namespace"]
        assert restored["status"] == "MODIFYING"


class TestSurroundings:
    def test_a_security_group_in_use_cannot_be_deleted(self, world, api):
        ec2 = world.client("ec2")
        group = ec2.create_security_group(GroupName=new_name(), Description="d")["GroupId"]
        name = make_workgroup(world, securityGroupIds=[group])
        assert code_of(ec2.delete_security_group, GroupId=group) == "DependencyViolation"
        api.delete_workgroup(workgroupName=name)
        world.time.pass_phase()
        ec2.delete_security_group(GroupId=group)

    def test_a_managed_password_is_a_secret_that_goes_with_its_namespace(self, world, api):
        name = make_namespace(world, adminUsername="boss", manageAdminPassword=True)
        arn = api.get_namespace(namespaceName=name)["namespace"]["adminPasswordSecretArn"]
        secrets = world.client("secretsmanager")
        assert secrets.describe_secret(SecretId=arn)["Name"] == f"redshift!{name}-boss"
        api.delete_namespace(namespaceName=name)
        world.time.pass_phase()
        assert code_of(secrets.describe_secret, SecretId=arn) == "ResourceNotFoundException"

    def test_what_the_sandbox_lacks_says_so(self, api):
        with pytest.raises(ClientError, match="The sandbox has no ListRecoveryPoints"):
            api.list_recovery_points()
