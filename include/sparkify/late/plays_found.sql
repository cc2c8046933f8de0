-- Plays whose song or artist may be another one since songs arrived or changed: those that name such a song
-- and those that point to one. The event that stands for a play was chosen by songplays.sql; of several songs
-- the smallest song_id is taken, as there.
INSERT INTO sparkify_completed (
    songplay_id, start_time, user_id, song_id, artist_id, song, artist, length, is_kept
)
SELECT
    songplay_id,
    start_time,
    user_id,
    song_id,
    artist_id,
    song,
    artist,
    length,
    is_kept
FROM (
    SELECT
        plays_by_song.songplay_id,
        plays_by_song.start_time,
        plays_by_song.user_id,
        plays_by_song.song,
        plays_by_song.artist,
        plays_by_song.length,
        catalogue.song_id,
        catalogue.artist_id,
        -- Whether the play is found under this song already.
        MAX(CASE WHEN plays_by_song.name = catalogue.song_id THEN 1 ELSE 0 END) OVER (
            PARTITION BY plays_by_song.songplay_id, catalogue.song_id
        ) AS is_kept,
        ROW_NUMBER() OVER (PARTITION BY plays_by_song.songplay_id ORDER BY catalogue.song_id) AS pick
    FROM plays_by_song
    LEFT JOIN catalogue
        ON
            plays_by_song.song = catalogue.title
            AND plays_by_song.artist = catalogue.artist_name
            AND plays_by_song.length = catalogue.duration
    WHERE plays_by_song.name IN (%(names)s) -- noqa: RF02
) AS matched
WHERE pick = 1;
