-- In the manner of projects that go on to ask: CTAS with lateral aliases, MERGE, windows, upsert by DELETE and INSERT.
DROP TABLE IF EXISTS plays, newest, daily, changes;
CREATE TABLE plays DISTKEY (userid) SORTKEY (start_time) AS
SELECT userid, level, sessionid, song,
    TIMESTAMP 'epoch' + ts / 1000 * INTERVAL '1 second' AS start_time,
    date_trunc('hour', start_time) AS hour,
    datediff(hour, '2018-11-28', hour) AS hours_since,
    lag(start_time) OVER (PARTITION BY userid ORDER BY ts) AS before
FROM raw.staging_events WHERE page = 'NextSong';
CREATE TABLE newest AS
SELECT userid, level, start_time AS seen FROM plays AS p
QUALIFY row_number() OVER (PARTITION BY userid ORDER BY start_time DESC) = 1;
CREATE TEMP TABLE changes (LIKE newest);
INSERT INTO changes SELECT userid, 'gone', sysdate FROM newest WHERE userid % 2 = 0;
INSERT INTO changes SELECT -1, 'new', getdate();
BEGIN;
DELETE FROM newest USING changes WHERE newest.userid = changes.userid;
INSERT INTO newest SELECT * FROM changes;
END;
MERGE INTO newest USING changes ON newest.userid = changes.userid
WHEN MATCHED THEN UPDATE SET level = 'twice'
WHEN NOT MATCHED THEN INSERT VALUES (changes.userid, changes.level, changes.seen);
CREATE TABLE daily AS
SELECT trunc(start_time) AS day, level, count(*) AS plays, listagg(DISTINCT userid, ',') AS users,
    ratio_to_report(count(*)) OVER (PARTITION BY trunc(start_time)) AS share
FROM plays GROUP BY 1, 2 ORDER BY 1, 2
