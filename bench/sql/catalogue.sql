-- A catalogue of song files of which all are staged: keys and ETags are those of bench/listing.py.
INSERT INTO ops.staged_files
SELECT
    'staging_songs' AS dataset,
    'sparkify-raw' AS bucket,
    'song_data/TR' || lpad(number::text, 12, '0') || '.json' AS key,
    md5('TR' || lpad(number::text, 12, '0')) AS etag,
    250 AS size,
    timestamp '2018-11-01' AS last_modified,
    'load' AS load_id,
    timestamp '2018-11-01' AS staged_at
FROM generate_series(0, %(files)s - 1) AS number;
