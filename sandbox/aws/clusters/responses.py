"""moto's Redshift answers, with the parameters moto does not read."""

import threading
from typing import cast

import psycopg
from moto.core.responses import ActionResult
from moto.redshift.exceptions import InvalidParameterValueError, RedshiftClientError
from moto.redshift.models import redshift_backends
from moto.redshift.responses import RedshiftResponse

from sandbox.aws.clusters import arguments, master_secrets
from sandbox.aws.clusters.cluster import LivingCluster
from sandbox.aws.clusters.models import ClusterBackend
from sandbox.aws.clusters.users import TakenError

# One request at a time: a status is looked at and changed by one of them.
LOCK = threading.RLock()


class ClusterResponse(RedshiftResponse):
    """One request to the Redshift API."""

    @property
    def redshift_backend(self) -> ClusterBackend:
        """The clusters of the request's region."""
        return cast("ClusterBackend", redshift_backends[self.current_account][self.region])

    def create_cluster(self) -> ActionResult:
        """Check the arguments, and begin to make a cluster."""
        arguments.check_creation(self.params)
        result = super().create_cluster()
        self._complete(_cluster(result))
        return result

    def restore_from_cluster_snapshot(self) -> ActionResult:
        """Check the arguments, and begin to restore a cluster."""
        arguments.check_restore(self.params)
        result = super().restore_from_cluster_snapshot()
        self._complete(_cluster(result))
        return result

    def modify_cluster(self) -> ActionResult:
        """Check the arguments, and begin to modify a cluster."""
        arguments.check_modification(self.params)
        result = super().modify_cluster()
        cluster = _cluster(result)
        if self._get_param("MasterUserPassword"):
            master_secrets.forget(cluster)
            self.redshift_backend.make_master(cluster)
        elif self._get_param("ManageMasterPassword"):
            self._manage(cluster)
        return result

    def modify_cluster_iam_roles(self) -> ActionResult:
        """Begin to attach and detach roles (moto lacks the operation)."""
        add, remove = self._get_param("AddIamRoles", []), self._get_param("RemoveIamRoles", [])
        cluster = self.redshift_backend.cluster(self._get_param("ClusterIdentifier"))
        default = self._get_param("DefaultIamRoleArn")
        if default and default not in {*cluster.iam_roles_arn, *add} - set(remove):
            message = f"DefaultIamRoleArn {default} is not one of the cluster's IamRoles."
            raise InvalidParameterValueError(message)
        self.redshift_backend.modify_cluster_iam_roles(cluster.cluster_identifier, add, remove)
        cluster.default_iam_role_arn = default or cluster.default_iam_role_arn
        return ActionResult({"Cluster": cluster})

    def delete_cluster(self) -> ActionResult:
        """Check the arguments, and begin to delete a cluster."""
        arguments.check_deletion(self.params)
        return super().delete_cluster()

    def create_cluster_snapshot(self) -> ActionResult:
        """Check the arguments, and begin to make a snapshot."""
        arguments.check_snapshot_identifier(self._get_param("SnapshotIdentifier"))
        return super().create_cluster_snapshot()

    def get_cluster_credentials(self) -> ActionResult:
        """A temporary password that the endpoint accepts."""
        if self._get_param("DbGroups"):
            raise InvalidParameterValueError("DbGroups: the sandbox's warehouse has no user groups.")
        try:
            return super().get_cluster_credentials()
        except psycopg.OperationalError as error:
            raise RedshiftClientError(
                "UnsupportedOperation",
                "The warehouse behind the cluster does not answer: PostgreSQL is down.",
            ) from error
        except TakenError as error:
            raise RedshiftClientError("UnsupportedOperation", str(error)) from error

    def get_cluster_credentials_with_iam(self) -> ActionResult:
        """Refused: users of the sandbox's one access key have no names."""
        raise RedshiftClientError(
            "UnsupportedOperation",
            "The sandbox has no database users that belong to IAM identities: use GetClusterCredentials "
            "(group_federation=False).",
        )

    def _complete(self, cluster: LivingCluster) -> None:
        """Give a new cluster what moto does not read, and its master user."""
        cluster.default_iam_role_arn = self._get_param("DefaultIamRoleArn")
        if self._get_param("ManageMasterPassword"):
            self._manage(cluster)
        else:
            self.redshift_backend.make_master(cluster)

    def _manage(self, cluster: LivingCluster) -> None:
        master_secrets.manage(cluster, self._get_param("MasterPasswordSecretKmsKeyId"))
        self.redshift_backend.make_master(cluster)


def _cluster(result: ActionResult) -> LivingCluster:
    """The cluster that moto answers with."""
    return cast("dict[str, LivingCluster]", result.result)["Cluster"]
