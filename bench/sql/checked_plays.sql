-- Plays that keep every promise, spread over the year 2018, with what they refer to.
INSERT INTO users (user_id, first_name, level, level_as_of)
SELECT n, 'User', 'paid', '2018-12-31' FROM generate_series(0, 999) AS n;

INSERT INTO artists (artist_id, name)
SELECT 'AR' || n, 'Artist ' || n FROM generate_series(0, 3999) AS n;

INSERT INTO songs (song_id, title, artist_id, year, duration)
SELECT 'SO' || n, 'Song ' || n, 'AR' || n % 4000, 2000, 200 FROM generate_series(0, 14999) AS n;

INSERT INTO time (start_time, hour, day, week, month, year, weekday)
SELECT '2018-01-01'::timestamp + interval '365 days' * n / %(plays)s, 0, 1, 1, 1, 2018, 1
FROM generate_series(1, %(plays)s - 1) AS n UNION ALL SELECT '2018-01-01', 0, 1, 1, 1, 2018, 1;

INSERT INTO songplays
(songplay_id, start_time, user_id, level, song_id, artist_id, session_id, location, user_agent)
SELECT
    md5(n::text),
    '2018-01-01'::timestamp + interval '365 days' * n / %(plays)s,
    n % 1000,
    CASE n % 4 WHEN 0 THEN 'free' ELSE 'paid' END,
    CASE WHEN n % 3 > 0 THEN 'SO' || n % 15000 END,
    CASE WHEN n % 3 > 0 THEN 'AR' || n % 15000 % 4000 END,
    n / 20,
    'San Francisco-Oakland-Hayward, CA',
    '"Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/36.0 Safari/537.36"'
FROM generate_series(0, %(plays)s - 1) AS n;

VACUUM ANALYZE users, artists, songs, time, songplays;
