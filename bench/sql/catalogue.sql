-- A catalogue of song files of which all are staged: keys and ETags are those of bench/listing.py.
INSERT INTO ops.staged_files
SELECT
    'staging_songs',
    'sparkify-raw',
    'song_data/TR' || lpad(number::text, 12, '0') || '.json',
    md5('TR' || lpad(number::text, 12, '0')),
    250,
    timestamp '2018-11-01',
    'load',
    timestamp '2018-11-01'
FROM generate_series(0, %(files)s - 1) AS number;
