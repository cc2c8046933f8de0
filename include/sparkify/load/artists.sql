-- Every artist of the catalogue. Songs may give an artist several names and places: the row with a known
-- place and the shortest name stands for the artist, so "Akon" rather than "Akon / Styles P".
SELECT
    artist_id,
    artist_name AS name,
    artist_location AS location,
    artist_latitude AS latitude,
    artist_longitude AS longitude
FROM (
    SELECT
        artist_id,
        artist_name,
        artist_location,
        artist_latitude,
        artist_longitude,
        ROW_NUMBER() OVER (
            PARTITION BY artist_id
            ORDER BY
                CASE WHEN artist_latitude IS NULL THEN 1 ELSE 0 END,
                CASE WHEN COALESCE(artist_location, '') = '' THEN 1 ELSE 0 END,
                LENGTH(artist_name),
                artist_name,
                song_id
        ) AS pick
    FROM staging_songs
    WHERE artist_id IS NOT NULL
) AS names
WHERE pick = 1;
