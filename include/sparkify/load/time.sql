-- The distinct moments at which plays of the window began.
SELECT
    ts AS start_time,
    EXTRACT(HOUR FROM ts) AS hour,
    EXTRACT(DAY FROM ts) AS day,
    EXTRACT(WEEK FROM ts) AS week,
    EXTRACT(MONTH FROM ts) AS month,
    EXTRACT(YEAR FROM ts) AS year,
    EXTRACT(DOW FROM ts) AS weekday
FROM (
    SELECT DISTINCT ts
    FROM staging_events
    WHERE
        page = 'NextSong'
        AND user_id IS NOT NULL
        AND ts >= %(window_start)s
        AND ts < %(window_end)s
) AS moments;
