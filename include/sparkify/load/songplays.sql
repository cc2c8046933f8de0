-- The plays of the window with their songs. Of several songs with the same title, artist and duration the
-- smallest song_id is taken.
SELECT
    songplay_id,
    start_time,
    user_id,
    level,
    song_id,
    artist_id,
    session_id,
    location,
    user_agent,
    -- For plays_by_song: what the event names.
    song,
    artist,
    length
FROM (
    -- Numbered after the join, so that neither a repeated event nor a repeated song can multiply a play.
    SELECT
        plays.songplay_id,
        plays.start_time,
        plays.user_id,
        plays.level,
        catalogue.song_id,
        catalogue.artist_id,
        plays.session_id,
        plays.location,
        plays.user_agent,
        plays.song,
        plays.artist,
        plays.length,
        ROW_NUMBER() OVER (
            PARTITION BY plays.songplay_id
            ORDER BY
                plays.level,
                plays.song,
                plays.artist,
                plays.length,
                plays.location,
                plays.user_agent,
                catalogue.song_id
        ) AS pick
    FROM plays
    LEFT JOIN catalogue
        ON
            plays.song = catalogue.title
            AND plays.artist = catalogue.artist_name
            AND plays.length = catalogue.duration
    WHERE plays.start_time >= %(window_start)s AND plays.start_time < %(window_end)s
) AS matched
WHERE pick = 1;
