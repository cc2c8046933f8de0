-- What the other files here share. A load id sorts by the end of the hour whose run made it, and says which
-- task did, as far as the readers of the ledgers can tell.
CREATE SCHEMA pattern;

CREATE FUNCTION pattern.load_id(hour timestamp, task text) RETURNS text IMMUTABLE
RETURN to_char(hour + interval '1 hour', 'YYYYMMDD"T"HH24MISS"000000Z-"') || left(md5(task), 8);

-- The midnights of a time: what happens once a day happens in the hour that begins then.
CREATE FUNCTION pattern.days(first timestamp, until timestamp) RETURNS SETOF timestamp STABLE
LANGUAGE sql AS $$ SELECT generate_series(date_trunc('day', first + interval '1 day'), until, interval '1 day') $$;

CREATE FUNCTION pattern.run_id(hour timestamp) RETURNS text IMMUTABLE
RETURN 'scheduled__' || to_char(hour, 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"');
