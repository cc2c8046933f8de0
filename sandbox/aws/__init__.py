"""The AWS API server: S3, IAM, EC2's networks, Secrets Manager, SNS and Redshift's services, on moto."""

from sandbox.aws import small_moto

small_moto.install()
