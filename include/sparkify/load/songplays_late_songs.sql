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
    )

    -- The same choice among repeated events and songs as in songplays.sql.
    SELECT
        plays.songplay_id,
        plays.user_id,
        plays.start_time,
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
    WHERE
        EXISTS (
            SELECT 1
            FROM affected
            WHERE affected.user_id = plays.user_id AND affected.ts = plays.start_time
        )
) AS matched
WHERE
    songplays.songplay_id = matched.songplay_id
    -- The keys that the table is distributed and sorted by: no node has to send its plays to another.
    AND songplays.user_id = matched.user_id
    AND songplays.start_time = matched.start_time
    AND matched.pick = 1
    AND (
        COALESCE(songplays.song_id, '') <> COALESCE(matched.song_id, '')
        OR COALESCE(songplays.artist_id, '') <> COALESCE(matched.artist_id, '')
    );
