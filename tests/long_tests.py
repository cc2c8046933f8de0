"""Which tests take long and have shorter kin: `make test` leaves them out, `make test-long` runs them.

What belongs to a suite with a target of its own (faults, clusters, security, the web UI) runs there, too.
"""

_LONG = (
    "clients/test_courses.py::test_the_questions",
    "clients/test_dbt.py",
    "clients/test_drivers.py",
    "clients/test_tools.py",
    "clients/test_use_the_sandbox.py::test_a_dbt_project",
    "clients/test_use_the_sandbox.py::test_a_shell",
    "clients/test_use_the_sandbox.py::test_an_airflow",
    "clients/test_use_the_sandbox.py::test_two_at_once",
    "faults/test_crashes.py::test_a_task_killed_anywhere_leaves_its_table_as_it_was_and_a_rerun_mends_the_rest[load_artists]",
    "faults/test_crashes.py::test_a_task_killed_anywhere_leaves_its_table_as_it_was_and_a_rerun_mends_the_rest[load_songs]",
    "faults/test_crashes.py::test_a_task_killed_anywhere_leaves_its_table_as_it_was_and_a_rerun_mends_the_rest[load_time]",
    "faults/test_crashes.py::test_a_task_killed_anywhere_leaves_its_table_as_it_was_and_a_rerun_mends_the_rest[load_users]",
    "faults/test_crashes.py::test_a_task_killed_anywhere_leaves_its_table_as_it_was_and_a_rerun_mends_the_rest[stage_songs]",
    "faults/test_crashes.py::test_a_task_killed_anywhere_leaves_its_table_as_it_was_and_a_rerun_mends_the_rest[stage_events]",
    "faults/test_data.py::test_a_middle_hour_that_runs_again",
    "faults/test_data.py::test_an_event_that_comes_three_days_late",
    "faults/test_data.py::test_milliseconds_on_an_edge_belong_to_the_hour_that_begins_there[edge of the month]",
    "faults/test_data.py::test_milliseconds_on_an_edge_belong_to_the_hour_that_begins_there[summer",
    "faults/test_interleavings.py::test_a_run_that_is_overtaken_by_one_with_newer_files_takes_nothing_back[load_users]",
    "faults/test_interleavings.py::test_a_run_that_is_overtaken_by_one_with_newer_files_takes_nothing_back[stage_songs]",
    "faults/test_late_data.py::test_a_file_of_the_days_before_that_cannot_be_staged",
    "faults/test_late_data.py::test_a_file_that_only_grows_at_its_end",
    "faults/test_ledger.py::test_a_bad_file_of_an_earlier_day",
    "faults/test_random.py::test_a_few_random_sequences_end_in_the_same_tables",
    "faults/test_readers.py::test_a_dashboard_of_many_readers",
    "faults/test_replay.py::test_a_replay_that_is_killed_leaves_its_row_open_and_a_rerun_settles_it_once[of_events]",
    "faults/test_servers.py::test_the_endpoint_restarted_inside_a_transaction_costs_one_more_try[before",
    "faults/test_stores.py::test_a_task_of_stores_killed_anywhere_leaves_its_table_as_it_was_and_a_rerun_mends_the_rest[load",
    "faults/test_stores.py::test_a_task_of_stores_killed_anywhere_leaves_its_table_as_it_was_and_a_rerun_mends_the_rest[stage_stores]",
    "faults/test_stores.py::test_late_months_that_a_dead_run_of_stores",
    "sandbox/aws/test_clusters_network.py::test_a_client_waits_for_its_own_time_out_until_it_is_admitted[by_psycopg]",
    "sandbox/aws/test_clusters_network.py::test_a_client_waits_for_its_own_time_out_until_it_is_admitted[by_psycopg2]",
    "sandbox/aws/test_clusters_network.py::test_a_client_waits_for_its_own_time_out_until_it_is_admitted[by_psql]",
    "sandbox/commands/test_cli_lifecycle.py::test_two_sandboxes_run_side_by_side",
    "sandbox/commands/test_stream.py",
    "sandbox/redshift/test_copy_batches.py::test_short_ways_give_what_the_careful_way_gives_of_very_many_files",
    "sandbox/redshift/test_endpoint_load.py",
    "sparkify/cluster/test_serverless.py::TestNetworkErrors",
    "sparkify/cluster/test_steps.py::TestNetworkErrors::test_at_any_call",
    "sparkify/operators/test_connection.py::test_an_identity_that_may_not_look",
    "sparkify/warehouse/test_retention.py::test_facts_never_lose_a_row",
    "system/test_add_a_dataset.py::test_a_project_that_follows_the_page",
    "system/test_alerts.py",
    "system/test_assets.py::test_an_event_tells_of_other_windows",
    "system/test_bench.py::test_an_hourly_run_sends_as_many",
    "system/test_bench.py::test_an_unchanged_catalogue",
    "system/test_bench.py::test_every_task_has_its_figures",
    "system/test_bench.py::test_nothing_of_the_bench_remains",
    "system/test_cluster_dags.py",
    "system/test_iam_loads.py",
    "system/test_iam_policies.py::test_the_policy_for_clusters",
    "system/test_maintenance.py::test_runs_do_not_look_back",
    "system/test_old_records.py::test_changes_of_songs_go",
    "system/test_real_sample.py::test_the_hours_of_a_published_day",
    "system/test_serverless_policy.py",
    "ui/test_loads.py::test_an_invalid_window",
    "ui/test_loads.py::test_the_form_refuses",
)
# Of these the connection type redshift is kin enough for the type postgres.
_BOTH_DRIVERS = (
    "sparkify/operators/test_keep_up_tables.py",
    "sparkify/stage/test_catalogue.py",
    "sparkify/stage/test_copying.py",
    "sparkify/stage/test_incoming.py",
    "sparkify/stage/test_silent_changes.py",
    "sparkify/stage/test_stager.py",
    "sparkify/stage/test_strays.py",
)
NAMED = (*_LONG, *_BOTH_DRIVERS)
"""All of these names."""


def is_long(test: str) -> bool:
    """Whether a test, by its id below tests/, is left out of `make test`."""
    return test.startswith(_LONG) or (test.startswith(_BOTH_DRIVERS) and "postgres_sandbox" in test)
