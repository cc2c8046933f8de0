"""The AWS API server: moto's services with signatures checked and S3 kept on disk."""
