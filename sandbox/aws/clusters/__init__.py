"""Redshift's clusters: moto's, with a life cycle, checked arguments and a way into the warehouse."""
