-- The distinct moments at which plays of the window began.
SELECT
    start_time,
    EXTRACT(HOUR FROM start_time) AS hour,
    EXTRACT(DAY FROM start_time) AS day,
    EXTRACT(WEEK FROM start_time) AS week,
    EXTRACT(MONTH FROM start_time) AS month,
    EXTRACT(YEAR FROM start_time) AS year,
    EXTRACT(DOW FROM start_time) AS weekday
FROM (
    SELECT DISTINCT start_time
    FROM plays
    WHERE start_time >= %(window_start)s AND start_time < %(window_end)s
) AS moments;
