"""UNLOAD to S3: the statement, its files and their way to S3."""
