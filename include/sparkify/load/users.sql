-- Users with a play in the window, as their newest play there tells them.
SELECT
    user_id,
    first_name,
    last_name,
    gender,
    level,
    start_time AS level_as_of
FROM (
    SELECT
        user_id,
        first_name,
        last_name,
        gender,
        level,
        start_time,
        ROW_NUMBER() OVER (
            PARTITION BY user_id
            ORDER BY
                start_time DESC,
                item_in_session DESC,
                session_id DESC,
                level ASC,
                first_name ASC,
                last_name ASC,
                gender ASC
        ) AS newest
    FROM plays
    WHERE start_time >= %(window_start)s AND start_time < %(window_end)s
) AS numbered
WHERE newest = 1;
