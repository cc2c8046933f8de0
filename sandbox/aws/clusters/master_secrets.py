"""Passwords of administrators that Redshift manages, kept in Secrets Manager."""

import json
from typing import TYPE_CHECKING

from moto.secretsmanager.models import secretsmanager_backends

from sandbox.aws.clusters.cluster import LivingCluster
from sandbox.aws.clusters.users import random_password

if TYPE_CHECKING:
    from moto.secretsmanager.models import SecretsManagerBackend


def manage(cluster: LivingCluster, kms_key_id: str | None = None) -> None:
    """Give a cluster a random master password and keep it as the secret ``redshift!<cluster>-<user>``."""
    cluster.master_user_password = random_password()
    forget(cluster)
    cluster.master_password_secret_arn = keep(
        _backend(cluster.account_id, cluster.region),
        cluster.cluster_identifier,
        (cluster.master_username, cluster.master_user_password),
        {"aws:redshift:primaryClusterArn": cluster.arn},
        kms_key_id,
    )


def forget(cluster: LivingCluster) -> None:
    """Remove a cluster's secret, if it has one."""
    arn, cluster.master_password_secret_arn = cluster.master_password_secret_arn, None
    drop(_backend(cluster.account_id, cluster.region), arn)


def keep(
    secrets: "SecretsManagerBackend",
    owner: str,
    login: tuple[str, str],
    tags: dict[str, str],
    kms_key_id: str | None,
) -> str:
    """Keep user and password of a cluster or namespace as ``redshift!<owner>-<user>``; return the ARN."""
    user, password = login
    answer = secrets.create_secret(
        name=f"redshift!{owner}-{user}",
        secret_string=json.dumps({"username": user, "password": password}),
        secret_binary=None,
        description=f"The administrator's password of {owner}",
        tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        kms_key_id=kms_key_id,
        client_request_token=None,
        replica_regions=[],
        force_overwrite=False,
    )
    arn: str = json.loads(answer)["ARN"]
    return arn


def drop(secrets: "SecretsManagerBackend", arn: str | None) -> None:
    """Remove a secret, if it is there."""
    if arn and arn in [secret.arn for secret in secrets.secrets.values()]:
        secrets.delete_secret(arn, None, force_delete_without_recovery=True)


def _backend(account_id: str, region: str) -> "SecretsManagerBackend":
    return secretsmanager_backends[account_id][region]
