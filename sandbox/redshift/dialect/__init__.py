"""Redshift's SQL into PostgreSQL's: what is rewritten, what is refused."""
