-- The songs that plays may point to: those whose song and artist are both in their dimensions already.
CREATE VIEW catalogue AS
SELECT
    staging_songs.title,
    staging_songs.artist_name,
    staging_songs.duration,
    songs.song_id,
    songs.artist_id
FROM staging_songs
INNER JOIN songs
    ON staging_songs.song_id = songs.song_id AND staging_songs.artist_id = songs.artist_id
INNER JOIN artists ON songs.artist_id = artists.artist_id;
