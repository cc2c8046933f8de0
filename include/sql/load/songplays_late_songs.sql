-- Song and artist of earlier plays, after songs arrived or changed (those of the loads in late_loads): plays
-- whose event names such a song, and plays that point to one, are matched again.
UPDATE songplays
SET song_id = matched.song_id, artist_id = matched.artist_id
FROM (
    WITH late_songs AS (
        SELECT
            staging_songs.song_id,
            staging_songs.title,
            staging_songs.artist_name,
            staging_songs.duration
        FROM staging_songs
        INNER JOIN late_loads ON staging_songs.load_id = late_loads.load_id
    ),

    plays AS (
        SELECT
            level,
            song,
            artist,
            length,
            location,
            user_agent,
            MD5(
                COALESCE(CAST(session_id AS VARCHAR(32)), '') || '-'
                || COALESCE(CAST(item_in_session AS VARCHAR(32)), '') || '-'
                || TO_CHAR(ts, 'YYYYMMDDHH24MISSMS') || '-'
                || CAST(user_id AS VARCHAR(32))
            ) AS songplay_id
        FROM staging_events
        WHERE page = 'NextSong' AND user_id IS NOT NULL
    ),

    affected AS (
        SELECT plays.songplay_id
        FROM plays
        INNER JOIN late_songs
            ON
                plays.song = late_songs.title
                AND plays.artist = late_songs.artist_name
                AND plays.length = late_songs.duration
        UNION ALL
        SELECT matched_before.songplay_id
        FROM songplays AS matched_before
        INNER JOIN late_songs ON matched_before.song_id = late_songs.song_id
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
    )

    -- The same choice among repeated events and songs as in songplays.sql.
    SELECT
        plays.songplay_id,
        catalogue.song_id,
        catalogue.artist_id,
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
    INNER JOIN affected ON plays.songplay_id = affected.songplay_id
    LEFT JOIN catalogue
        ON
            plays.song = catalogue.title
            AND plays.artist = catalogue.artist_name
            AND plays.length = catalogue.duration
) AS matched
WHERE
    songplays.songplay_id = matched.songplay_id
    AND matched.pick = 1
    AND (
        COALESCE(songplays.song_id, '') <> COALESCE(matched.song_id, '')
        OR COALESCE(songplays.artist_id, '') <> COALESCE(matched.artist_id, '')
    );
