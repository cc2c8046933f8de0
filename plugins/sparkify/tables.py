"""The warehouse's tables, for the DAGs that make, load and reset them; operators know none of them."""

# The files in include/sparkify/schema without their ending, in the order in which tables can be made: a table
# before those that refer to it, and before those that are made from it.
TABLES = ("staging_events", "staging_songs", "users", "artists", "songs", "time", "songplays")
