-- What a text's tokens are depends on settings that SET may not change (dialect/lexical.py). These are the other ways
-- to change one: PostgreSQL asks for the right, in whatever words they are called.
REVOKE EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) FROM PUBLIC;
REVOKE UPDATE ON pg_catalog.pg_settings FROM PUBLIC;
