"""How fast COPY is, beside what else could load the same files: ``python -m bench.copying``."""
