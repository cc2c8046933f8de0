"""AWS on one machine: S3, IAM and a Redshift endpoint for the pipeline, without an account or Docker."""
