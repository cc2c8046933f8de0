-- Once a day an hour was staged again, because its file had changed.
INSERT INTO ops.changes (source_table, load_id, window_start, window_end)
SELECT
    'staging_events',
    pattern.load_id(day, 'stage_events'),
    day,
    day + interval '1 hour'
FROM pattern.days(%(first)s, %(end)s) AS day;
