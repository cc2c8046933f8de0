"""Load Amazon Redshift from S3: windows, manifests, transactions and the operators built on them."""
