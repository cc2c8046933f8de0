-- Song and artist of earlier plays, after songs arrived or changed (those of the loads in changed_loads):
-- plays whose event names such a song, and plays that point to one, are matched again.
UPDATE songplays
SET song_id = matched.song_id, artist_id = matched.artist_id
FROM (
    WITH
    -- By user and moment, not by id: making the ids of all events would cost more than the rest together.
    -- Whatever else a user played at that moment is matched again, to no effect.
    affected AS (
        SELECT
            staging_events.user_id,
            staging_events.ts
        FROM staging_events
        INNER JOIN staging_songs
            ON
                staging_events.song = staging_songs.title
                AND staging_events.artist = staging_songs.artist_name
                AND staging_events.length = staging_songs.duration
        INNER JOIN changed_loads ON staging_songs.load_id = changed_loads.load_id
        UNION ALL
        SELECT
            matched_before.user_id,
            matched_before.start_time
        FROM songplays AS matched_before
        INNER JOIN staging_songs ON matched_before.song_id = staging_songs.song_id
        INNER JOIN changed_loads ON staging_songs.load_id = changed_loads.load_id
    ),

    plays AS (
        SELECT
            user_id,
            ts,
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
        WHERE
            page = 'NextSong'
            AND EXISTS (
                SELECT 1
                FROM affected
                WHERE affected.user_id = staging_events.user_id AND affected.ts = staging_events.ts
            )
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
        plays.user_id,
        plays.ts,
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
    LEFT JOIN catalogue
        ON
            plays.song = catalogue.title
            AND plays.artist = catalogue.artist_name
            AND plays.length = catalogue.duration
) AS matched
WHERE
    songplays.songplay_id = matched.songplay_id
    -- The keys that the table is distributed and sorted by: no node has to send its plays to another.
    AND songplays.user_id = matched.user_id
    AND songplays.start_time = matched.ts
    AND matched.pick = 1
    AND (
        COALESCE(songplays.song_id, '') <> COALESCE(matched.song_id, '')
        OR COALESCE(songplays.artist_id, '') <> COALESCE(matched.artist_id, '')
    );
