"""Airflow as a part of the sandbox, and single runs of its DAGs."""
