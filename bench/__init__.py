"""What an hourly run costs the database, at several sizes of history: see docs/bench.md."""
