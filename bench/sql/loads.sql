-- The loads of every hour's window; once a day, those that the day's new song caused; and those of the
-- catalogue before. They claim as many rows as the week's did: no run reads these numbers.
INSERT INTO ops.loads
SELECT changed.*
FROM
    generate_series(%(first)s, %(end)s - interval '1 hour', interval '1 hour') AS hour,
    pattern.loads AS load,
    jsonb_populate_record(load, jsonb_build_object(
        'load_id', pattern.load_id(hour, load.task_id),
        'run_id', pattern.run_id(hour),
        'window_start', CASE WHEN load.window_start IS NOT NULL THEN hour END,
        'window_end', CASE WHEN load.window_start IS NOT NULL THEN hour + interval '1 hour' END,
        'started_at', hour + interval '1 hour',
        'finished_at', hour + interval '1 hour'
    )) AS changed
WHERE load.window_start IS NOT NULL OR hour = date_trunc('day', hour)
UNION ALL
SELECT load.*
FROM pattern.loads AS load
WHERE load.window_start IS NULL
ORDER BY finished_at;
