"""Files on S3 into a staging table."""
