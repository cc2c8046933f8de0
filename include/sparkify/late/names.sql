-- Under which names plays_by_song has the plays that songs of the loads in changed_loads may be of: their own
-- ids, and what their plays name.
SELECT staging_songs.song_id AS name
FROM staging_songs
INNER JOIN changed_loads ON staging_songs.load_id = changed_loads.load_id
UNION ALL
SELECT MD5(RTRIM(staging_songs.title) || '|' || RTRIM(staging_songs.artist_name))
FROM staging_songs
INNER JOIN changed_loads ON staging_songs.load_id = changed_loads.load_id
WHERE staging_songs.title IS NOT NULL AND staging_songs.artist_name IS NOT NULL;
