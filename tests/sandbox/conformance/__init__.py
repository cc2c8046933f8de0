"""Statements with what Redshift answers, run against the endpoint or against a cluster."""
