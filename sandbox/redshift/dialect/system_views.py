"""The system views of the guide, and what is said of those that the sandbox has not."""

import re
from dataclasses import replace

from sandbox.redshift.error_fields import ErrorFields
from sandbox.redshift.sql.tokens import words

# Database Developer Guide, "System tables and views reference": a page each.
DOCUMENTED = words(
    "pg_attribute_info pg_class_info pg_database_info pg_default_acl pg_external_schema pg_library"
    " pg_proc_info pg_statistic_indicator pg_table_def pg_user_info stl_aggr stl_alert_event_log"
    " stl_analyze stl_analyze_compression stl_bcast stl_commit_stats stl_connection_log stl_ddltext"
    " stl_delete stl_disk_full_diag stl_dist stl_error stl_explain stl_file_scan stl_hash stl_hashjoin"
    " stl_insert stl_limit stl_load_commits stl_load_errors stl_loaderror_detail stl_merge stl_mergejoin"
    " stl_mv_state stl_nestloop stl_parse stl_plan_info stl_project stl_query stl_query_metrics"
    " stl_querytext stl_replacements stl_restarted_sessions stl_return stl_s3client stl_s3client_error"
    " stl_save stl_scan stl_schema_quota_violations stl_sessions stl_sort stl_sshclient_error"
    " stl_stream_segs stl_tr_conflict stl_undone stl_unique stl_unload_log stl_usage_control stl_userlog"
    " stl_utilitytext stl_vacuum stl_window stl_wlm_error stl_wlm_query stl_wlm_rule_action"
    " stv_active_cursors stv_blocklist stv_cursor_configuration stv_db_isolation_level stv_exec_state"
    " stv_inflight stv_load_state stv_locks stv_ml_model_info stv_mv_deps stv_mv_info"
    " stv_node_storage_capacity stv_partitions stv_query_metrics stv_recents stv_sessions stv_slices"
    " stv_startup_recovery_state stv_tbl_perm stv_tbl_trans stv_underrepped_blocks"
    " stv_wlm_classification_config stv_wlm_qmr_config stv_wlm_query_queue_state stv_wlm_query_state"
    " stv_wlm_query_task_state stv_wlm_service_class_config stv_wlm_service_class_state"
    " stv_xrestore_alter_queue_state svcs_alert_event_log svcs_compile svcs_concurrency_scaling_usage"
    " svcs_explain svcs_plan_info svcs_query_summary svcs_s3list svcs_s3log svcs_s3partition_summary"
    " svcs_s3query_summary svcs_stream_segs svcs_unload_log svl_auto_worker_action svl_compile"
    " svl_datashare_change_log svl_datashare_cross_region_usage svl_datashare_usage_consumer"
    " svl_datashare_usage_producer svl_federated_query svl_multi_statement_violations"
    " svl_mv_refresh_status svl_qerror svl_qlog svl_query_metrics svl_query_metrics_summary"
    " svl_query_queue_info svl_query_report svl_query_summary svl_s3list svl_s3log svl_s3partition"
    " svl_s3partition_summary svl_s3query svl_s3query_summary svl_s3retries svl_spatial_simplify"
    " svl_spectrum_scan_error svl_statementtext svl_stored_proc_call svl_stored_proc_messages"
    " svl_terminate svl_udf_log svl_user_info svl_vacuum_percentage svv_all_columns svv_all_schemas"
    " svv_all_tables svv_alter_table_recommendations svv_attached_masking_policy svv_column_privileges"
    " svv_columns svv_database_privileges svv_datashare_consumers svv_datashare_objects"
    " svv_datashare_privileges svv_datashares svv_default_privileges svv_diskusage svv_external_columns"
    " svv_external_databases svv_external_partitions svv_external_schemas svv_external_tables"
    " svv_function_privileges svv_geography_columns svv_geometry_columns svv_iam_privileges"
    " svv_identity_providers svv_interleaved_columns svv_language_privileges svv_masking_policy"
    " svv_ml_model_info svv_ml_model_privileges svv_mv_dependency svv_mv_info svv_query_inflight"
    " svv_query_state svv_redshift_columns svv_redshift_databases svv_redshift_functions"
    " svv_redshift_schemas svv_redshift_tables svv_relation_privileges svv_rls_applied_policy"
    " svv_rls_attached_policy svv_rls_policy svv_rls_relation svv_role_grants svv_roles"
    " svv_schema_privileges svv_schema_quota_state svv_system_privileges svv_table_info svv_tables"
    " svv_transactions svv_user_grants svv_user_info svv_vacuum_progress svv_vacuum_summary"
    " sys_analyze_history sys_auto_table_optimization sys_connection_log sys_copy_job"
    " sys_datashare_change_log sys_datashare_usage_consumer sys_datashare_usage_producer sys_explain_ddm"
    " sys_external_query_detail sys_external_query_error sys_load_detail sys_load_error_detail"
    " sys_load_history sys_mv_refresh_history sys_procedure_call sys_query_detail sys_query_explain"
    " sys_query_history sys_query_text sys_restore_state sys_schema_quota_violations sys_serverless_usage"
    " sys_session_history sys_stream_scan_errors sys_stream_scan_states sys_transaction_history"
    " sys_unload_detail sys_unload_history sys_userlog sys_vacuum_history"
)
_MISSING = re.compile(r'^relation "(?:pg_catalog\.)?(\w+)" does not exist$')


def missing_view(error: ErrorFields) -> ErrorFields:
    """What is said instead of "relation does not exist" of a view that Redshift has."""
    found = _MISSING.match(error.message)
    if not found or found[1] not in DOCUMENTED:
        return error
    return replace(
        error,
        sqlstate="0A000",
        message=f'relation "{found[1]}" is not in the sandbox',
        hint="Redshift has it; docs/sandbox.md lists the system views that are here.",
    )
