-- The plays have taken in the catalogue with the first hour, and each day's song with that day.
INSERT INTO ops.changes_taken (target_table, change_load_id, load_id)
SELECT
    'songplays',
    load_id,
    pattern.load_id(min(coalesce(day, %(first)s)), 'load_songplays')
FROM staging_songs
LEFT JOIN pattern.days(%(first)s, %(end)s) AS day ON load_id = pattern.load_id(day, 'stage_songs')
GROUP BY load_id;
