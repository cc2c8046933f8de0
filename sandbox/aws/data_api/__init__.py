"""The Redshift Data API: statements that run in sessions of the endpoint, and their results."""
