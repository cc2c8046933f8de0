-- Plays whose song or artist is another one since songs arrived or changed: those that name such a song, and
-- those that point to one. The event that stands for a play was chosen by songplays.sql; of several songs the
-- smallest song_id is taken, as there.
INSERT INTO sparkify_completed (
    songplay_id, start_time, user_id, song_id, artist_id, song, artist, length
)
WITH
matched AS (
    SELECT
        plays_by_song.songplay_id,
        plays_by_song.start_time,
        plays_by_song.user_id,
        plays_by_song.song,
        plays_by_song.artist,
        plays_by_song.length,
        catalogue.song_id,
        catalogue.artist_id,
        ROW_NUMBER() OVER (PARTITION BY plays_by_song.songplay_id ORDER BY catalogue.song_id) AS pick
    FROM plays_by_song
    LEFT JOIN catalogue
        ON
            plays_by_song.song = catalogue.title
            AND plays_by_song.artist = catalogue.artist_name
            AND plays_by_song.length = catalogue.duration
    WHERE plays_by_song.name IN (%(names)s) -- noqa: RF02
)

SELECT
    matched.songplay_id,
    matched.start_time,
    matched.user_id,
    matched.song_id,
    matched.artist_id,
    matched.song,
    matched.artist,
    matched.length
FROM matched
INNER JOIN songplays
    ON
        matched.songplay_id = songplays.songplay_id
        -- The keys that the table is distributed and sorted by: no node has to send its plays to another.
        AND matched.user_id = songplays.user_id
        AND matched.start_time = songplays.start_time
WHERE
    matched.pick = 1
    AND (
        COALESCE(songplays.song_id, '') <> COALESCE(matched.song_id, '')
        OR COALESCE(songplays.artist_id, '') <> COALESCE(matched.artist_id, '')
    );
