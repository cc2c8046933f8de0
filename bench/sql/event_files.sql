-- The file of its day that every hour's run staged, each time a longer version.
INSERT INTO ops.staged_files
SELECT changed.*
FROM
    generate_series(%(first)s, %(end)s - interval '1 hour', interval '1 hour') AS hour,
    (
        SELECT file
        FROM pattern.staged_files AS file
        WHERE dataset = 'staging_events'
        ORDER BY key
        LIMIT 1
    ) AS one,
    jsonb_populate_record(file, jsonb_build_object(
        'key', to_char(hour, '"log_data/"YYYY/MM/YYYY-MM-DD"-events.json"'),
        'etag', md5(hour::text),
        'last_modified', hour + interval '1 hour',
        'staged_at', hour + interval '1 hour',
        'load_id', pattern.load_id(hour, 'stage_events')
    )) AS changed
ORDER BY hour;
