-- What a play is: an event of the page NextSong with a user. Its id is made from what identifies the event,
-- in a text that never changes, so the same event twice is one play.
CREATE VIEW plays AS
SELECT
    ts AS start_time,
    user_id,
    first_name,
    last_name,
    gender,
    level,
    session_id,
    item_in_session,
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
WHERE page = 'NextSong' AND user_id IS NOT NULL;
