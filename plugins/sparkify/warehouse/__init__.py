"""The warehouse: sessions, SQL text, the records in the schema ops."""
