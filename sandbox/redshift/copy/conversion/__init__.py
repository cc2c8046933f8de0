"""From a JSON value to the text PostgreSQL's COPY reads, by column type and COPY option."""
