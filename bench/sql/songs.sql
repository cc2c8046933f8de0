-- The catalogue: one song came on each day of history, the others before.
INSERT INTO staging_songs
SELECT changed.*
FROM
    (
        SELECT song, row_number() OVER (ORDER BY song_id) AS place
        FROM pattern.staging_songs AS song
    ) AS numbered
LEFT JOIN
    pattern.days(%(first)s, %(end)s) WITH ORDINALITY AS days (day, place)
    USING (place),
    jsonb_populate_record(song, CASE WHEN day IS NULL THEN '{}' ELSE jsonb_build_object(
        'load_id', pattern.load_id(day, 'stage_songs')
    ) END) AS changed;
