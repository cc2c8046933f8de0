"""Large files of ordinary lines, converted by processes beside the endpoint's own."""
