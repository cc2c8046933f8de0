"""Master passwords that Redshift manages, kept in Secrets Manager."""

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
    answer = _backend(cluster).create_secret(
        name=f"redshift!{cluster.cluster_identifier}-{cluster.master_username}",
        secret_string=json.dumps(
            {"username": cluster.master_username, "password": cluster.master_user_password}
        ),
        secret_binary=None,
        description=f"The master password of the cluster {cluster.cluster_identifier}",
        tags=[{"Key": "aws:redshift:primaryClusterArn", "Value": cluster.arn}],
        kms_key_id=kms_key_id,
        client_request_token=None,
        replica_regions=[],
        force_overwrite=False,
    )
    cluster.master_password_secret_arn = json.loads(answer)["ARN"]


def forget(cluster: LivingCluster) -> None:
    """Remove a cluster's secret, if it has one."""
    arn, cluster.master_password_secret_arn = cluster.master_password_secret_arn, None
    if arn and arn in [secret.arn for secret in _backend(cluster).secrets.values()]:
        _backend(cluster).delete_secret(arn, None, force_delete_without_recovery=True)


def _backend(cluster: LivingCluster) -> "SecretsManagerBackend":
    return secretsmanager_backends[cluster.account_id][cluster.region]
