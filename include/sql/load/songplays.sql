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

plays AS (
    SELECT
        events.*,
        ROW_NUMBER() OVER (
            PARTITION BY songplay_id
            ORDER BY level, song, artist, length, location, user_agent
        ) AS copy_number
    FROM events
),

catalogue AS (
    SELECT
        staging_songs.title,
        staging_songs.artist_name,
        staging_songs.duration,
        songs.song_id,
        songs.artist_id,
        ROW_NUMBER() OVER (
            PARTITION BY staging_songs.title, staging_songs.artist_name, staging_songs.duration
            ORDER BY songs.song_id
        ) AS pick
    FROM staging_songs
    INNER JOIN songs
        ON staging_songs.song_id = songs.song_id AND staging_songs.artist_id = songs.artist_id
    INNER JOIN artists ON songs.artist_id = artists.artist_id
)

SELECT
    plays.songplay_id,
    plays.start_time,
    plays.user_id,
    plays.level,
    catalogue.song_id,
    catalogue.artist_id,
    plays.session_id,
    plays.location,
    plays.user_agent
FROM plays
LEFT JOIN catalogue
    ON
        plays.song = catalogue.title
        AND plays.artist = catalogue.artist_name
        AND plays.length = catalogue.duration
        AND catalogue.pick = 1
WHERE plays.copy_number = 1;
