-- The pipeline's own records.
CREATE SCHEMA IF NOT EXISTS ops;
