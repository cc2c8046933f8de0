-- Every song of the catalogue.
SELECT
    song_id,
    title,
    artist_id,
    year,
    duration
FROM staging_songs;
