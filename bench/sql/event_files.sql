-- The file of its day that every hour's run staged, each time a longer version. The last version of a day is
-- the file that is in the bucket, where there is one: to the runs that look back it has not changed.
INSERT INTO ops.staged_files
SELECT changed.*
FROM
    (
        SELECT
            hour,
            to_char(hour, '"log_data/"YYYY/MM/YYYY-MM-DD"-events.json"') AS key
        FROM generate_series(%(first)s, %(end)s - interval '1 hour', interval '1 hour') AS hour
    ) AS hours
LEFT JOIN pattern.staged_files AS whole
    ON hours.key = whole.key AND whole.dataset = 'staging_events' AND extract(hour FROM hour) = 23,
    (
        SELECT file
        FROM pattern.staged_files AS file
        WHERE dataset = 'staging_events'
        ORDER BY key
        LIMIT 1
    ) AS one,
    jsonb_populate_record(file, jsonb_build_object(
        'key', hours.key,
        'etag', coalesce(whole.etag, md5(hour::text)),
        'last_modified', hour + interval '1 hour',
        'staged_at', hour + interval '1 hour',
        'load_id', pattern.load_id(hour, 'stage_events')
    )) AS changed
ORDER BY hour;
