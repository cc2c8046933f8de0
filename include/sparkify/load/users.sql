-- Users with a play in the window, as their newest play there tells them.
SELECT
    user_id,
    first_name,
    last_name,
    gender,
    level,
    ts AS level_as_of
FROM (
    SELECT
        user_id,
        first_name,
        last_name,
        gender,
        level,
        ts,
        ROW_NUMBER() OVER (
            PARTITION BY user_id
            ORDER BY
                ts DESC,
                item_in_session DESC,
                session_id DESC,
                level ASC,
                first_name ASC,
                last_name ASC,
                gender ASC
        ) AS newest
    FROM staging_events
    WHERE
        page = 'NextSong'
        AND user_id IS NOT NULL
        AND ts >= %(window_start)s
        AND ts < %(window_end)s
) AS plays
WHERE newest = 1;
