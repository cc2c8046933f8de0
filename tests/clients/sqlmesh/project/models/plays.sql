MODEL (
  name mesh.plays,
  kind INCREMENTAL_BY_TIME_RANGE (time_column start_time),
  cron '@daily',
  description 'A row for each song that was played',
  audits (not_null(columns := (start_time, userid)))
);

SELECT
  TIMESTAMP 'epoch' + ts / 1000 * INTERVAL '1 second' AS start_time,
  userid::INT AS userid,
  level::VARCHAR(10) AS level,
  song::VARCHAR(256) AS song
FROM raw.staging_events
WHERE page = 'NextSong' AND TIMESTAMP 'epoch' + ts / 1000 * INTERVAL '1 second' BETWEEN @start_ts AND @end_ts
