-- Loads of staging_songs whose songs are all in the dimensions, so that plays may point to them.
SELECT staging_songs.load_id
FROM staging_songs
LEFT JOIN songs
    ON staging_songs.song_id = songs.song_id AND staging_songs.artist_id = songs.artist_id
LEFT JOIN artists ON staging_songs.artist_id = artists.artist_id
GROUP BY staging_songs.load_id
HAVING
    SUM(
        CASE
            WHEN staging_songs.artist_id IS NULL THEN 0
            WHEN songs.song_id IS NULL OR artists.artist_id IS NULL THEN 1
            ELSE 0
        END
    ) = 0;
