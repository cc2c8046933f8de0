"""Redshift's wire protocol before PostgreSQL's: a client's session, from its first byte on."""
