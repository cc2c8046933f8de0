-- One row per NextSong event of a known user. The same event twice is one play: its id is made from what
-- identifies it. Of several songs with the same title, artist and duration the smallest song_id is taken.
-- A song counts once its dimension rows are there: no play ever points to a song that is not in songs.
WITH events AS (
    SELECT
        ts AS start_time,
        user_id,
        level,
        session_id,
        location,
        user_agent,
        song,
        artist,
        length,
        MD5(
            COALESCE(CAST(session_id AS VARCHAR(32)), '') || '-'
            || COALESCE(CAST(item_in_session AS VARCHAR(32)), '') || '-'
            || TO_CHAR(ts, 'YYYYMMDDHH24MISSMS') || '-'
            || CAST(user_id AS VARCHAR(32))
        ) AS songplay_id
    FROM staging_events
    WHERE
        page = 'NextSong'
        AND user_id IS NOT NULL
        AND ts >= %(window_start)s
        AND ts < %(window_end)s
),

catalogue AS (
    SELECT
        staging_songs.title,
        staging_songs.artist_name,
        staging_songs.duration,
        songs.song_id,
        songs.artist_id
    FROM staging_songs
    INNER JOIN songs
        ON staging_songs.song_id = songs.song_id AND staging_songs.artist_id = songs.artist_id
    INNER JOIN artists ON songs.artist_id = artists.artist_id
),

-- Numbered after the join, so that neither a repeated event nor a repeated song can multiply a play.
plays AS (
    SELECT
        events.songplay_id,
        events.start_time,
        events.user_id,
        events.level,
        catalogue.song_id,
        catalogue.artist_id,
        events.session_id,
        events.location,
        events.user_agent,
        ROW_NUMBER() OVER (
            PARTITION BY events.songplay_id
            ORDER BY
                events.level,
                events.song,
                events.artist,
                events.length,
                events.location,
                events.user_agent,
                catalogue.song_id
        ) AS pick
    FROM events
    LEFT JOIN catalogue
        ON
            events.song = catalogue.title
            AND events.artist = catalogue.artist_name
            AND events.length = catalogue.duration
)

SELECT
    songplay_id,
    start_time,
    user_id,
    level,
    song_id,
    artist_id,
    session_id,
    location,
    user_agent
FROM plays
WHERE pick = 1;
