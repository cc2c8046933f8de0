"""Where moto's server finds the Redshift API."""

from sandbox.aws.clusters.responses import ClusterResponse

url_bases = [r"https?://redshift\.(.+)\.amazonaws\.com"]

url_paths = {"{0}/$": ClusterResponse.dispatch}
