"""The operators of the pipeline: `from sparkify.operators import StageToRedshiftOperator`."""

from sparkify.operators.assets import table_asset
from sparkify.operators.cluster_step import ClusterStepOperator
from sparkify.operators.create_tables import CreateTablesOperator
from sparkify.operators.data_quality import DataQualityOperator
from sparkify.operators.find_expired import FindExpiredOperator
from sparkify.operators.forget_rows import ForgetRowsOperator
from sparkify.operators.grant_read import GrantReadOperator
from sparkify.operators.keep_up_tables import KeepUpTablesOperator
from sparkify.operators.load_dimension import LoadDimensionOperator
from sparkify.operators.load_fact import LoadFactOperator
from sparkify.operators.make_loader import MakeLoaderOperator
from sparkify.operators.reconcile import ReconcileOperator
from sparkify.operators.replay_rejected import CheckReplayOperator, ReplayRejectedOperator
from sparkify.operators.reset_tables import ResetTablesOperator
from sparkify.operators.stage_redshift import StageToRedshiftOperator
from sparkify.operators.upload_folder import UploadFolderOperator
from sparkify.star.audits import Audits
from sparkify.star.job import Follow, Lookup

__all__ = [
    "Audits",
    "CheckReplayOperator",
    "ClusterStepOperator",
    "CreateTablesOperator",
    "DataQualityOperator",
    "FindExpiredOperator",
    "Follow",
    "ForgetRowsOperator",
    "GrantReadOperator",
    "KeepUpTablesOperator",
    "LoadDimensionOperator",
    "LoadFactOperator",
    "Lookup",
    "MakeLoaderOperator",
    "ReconcileOperator",
    "ReplayRejectedOperator",
    "ResetTablesOperator",
    "StageToRedshiftOperator",
    "UploadFolderOperator",
    "table_asset",
]
