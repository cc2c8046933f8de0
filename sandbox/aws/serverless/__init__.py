"""Redshift Serverless, which moto lacks: namespaces, workgroups, usage limits, snapshots and logins."""
