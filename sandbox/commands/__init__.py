"""The commands that start, stop and show a sandbox; each module has add_arguments and run."""
