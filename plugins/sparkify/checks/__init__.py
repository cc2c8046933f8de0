"""Data quality checks: read from YAML, asked of the warehouse, reported and kept."""

from sparkify.checks.report import Counts, count_results, describe_result, failure_message, results_table
from sparkify.checks.results import keep_results
from sparkify.checks.run import CheckResult, run_checks
from sparkify.checks.suite import Suite, SuiteError, read_suite

__all__ = [
    "CheckResult",
    "Counts",
    "Suite",
    "SuiteError",
    "count_results",
    "describe_result",
    "failure_message",
    "keep_results",
    "read_suite",
    "results_table",
    "run_checks",
]
