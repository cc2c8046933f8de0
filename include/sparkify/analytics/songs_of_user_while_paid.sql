-- Which songs did a listener play while paid?
-- Put the user's id in place of NULL. As it stands, the listener with the most such plays is taken.
WITH asked AS (
    SELECT CAST(NULL AS INTEGER) AS user_id
),

paid_plays AS (
    SELECT
        songplays.user_id,
        songplays.song_id,
        songplays.artist_id,
        songplays.start_time
    FROM songplays
    CROSS JOIN asked
    WHERE
        songplays.level = 'paid'
        AND songplays.song_id IS NOT NULL
        AND (asked.user_id IS NULL OR songplays.user_id = asked.user_id)
),

listener AS (
    SELECT
        users.user_id,
        users.first_name || ' ' || users.last_name AS name
    FROM paid_plays
    INNER JOIN users ON paid_plays.user_id = users.user_id
    GROUP BY users.user_id, users.first_name, users.last_name
    ORDER BY COUNT(*) DESC, users.user_id ASC
    LIMIT 1
)

SELECT
    listener.user_id,
    listener.name AS listener,
    songs.title,
    artists.name AS artist,
    COUNT(*) AS plays,
    MAX(paid_plays.start_time) AS last_played
FROM paid_plays
INNER JOIN listener ON paid_plays.user_id = listener.user_id
INNER JOIN songs ON paid_plays.song_id = songs.song_id
INNER JOIN artists ON paid_plays.artist_id = artists.artist_id
GROUP BY listener.user_id, listener.name, songs.song_id, songs.title, artists.name
ORDER BY plays DESC, songs.title ASC, songs.song_id ASC
LIMIT 10;
