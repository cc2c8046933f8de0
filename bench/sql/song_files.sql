-- The catalogue's files: one came on each day of history, the others before.
INSERT INTO ops.staged_files
SELECT changed.*
FROM
    (
        SELECT file, row_number() OVER (ORDER BY key) AS place
        FROM pattern.staged_files AS file
        WHERE dataset = 'staging_songs'
    ) AS numbered
LEFT JOIN
    pattern.days(%(first)s, %(end)s) WITH ORDINALITY AS days (day, place)
    USING (place),
    jsonb_populate_record(file, CASE WHEN day IS NULL THEN '{}' ELSE jsonb_build_object(
        'load_id', pattern.load_id(day, 'stage_songs'),
        'staged_at', day + interval '1 hour'
    ) END) AS changed;
