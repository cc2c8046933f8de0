"""The Redshift endpoint: PostgreSQL behind a relay that speaks Redshift's wire protocol and SQL."""
