"""The mirror: a copy of the pipeline's records in one SQLite file, which pages and reports read.

`Store` opens the file, `refresh` brings what is new from the warehouse, `read` asks it, `keeper` refreshes it
while somebody looks.
"""
