-- When did a listener play an artist?
-- Put the user's id and the artist's name in place of the NULLs, or one of them. As it stands, the listener
-- and artist with the most plays are taken.
WITH asked AS (
    SELECT
        CAST(NULL AS INTEGER) AS user_id,
        CAST(NULL AS VARCHAR(1024)) AS artist
),

plays AS (
    SELECT
        songplays.songplay_id,
        songplays.start_time,
        songplays.user_id,
        songplays.level,
        songplays.song_id,
        artists.artist_id,
        artists.name AS artist,
        users.first_name || ' ' || users.last_name AS listener
    FROM songplays
    INNER JOIN artists ON songplays.artist_id = artists.artist_id
    INNER JOIN users ON songplays.user_id = users.user_id
    CROSS JOIN asked
    WHERE
        (asked.user_id IS NULL OR songplays.user_id = asked.user_id)
        AND (asked.artist IS NULL OR artists.name = asked.artist)
),

pair AS (
    SELECT
        plays.user_id,
        plays.artist_id
    FROM plays
    GROUP BY plays.user_id, plays.artist_id
    ORDER BY COUNT(*) DESC, plays.user_id ASC, plays.artist_id ASC
    LIMIT 1
)

SELECT
    plays.user_id,
    plays.listener,
    plays.artist,
    plays.start_time,
    songs.title,
    plays.level
FROM plays
INNER JOIN pair ON plays.user_id = pair.user_id AND plays.artist_id = pair.artist_id
INNER JOIN songs ON plays.song_id = songs.song_id
ORDER BY plays.start_time DESC, plays.songplay_id ASC
LIMIT 10;
