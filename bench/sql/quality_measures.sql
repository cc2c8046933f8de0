-- What every hour's checks measured.
INSERT INTO ops.quality_measures
SELECT changed.*
FROM
    generate_series(%(first)s, %(end)s - interval '1 hour', interval '1 hour') AS hour,
    pattern.quality_measures AS measure,
    jsonb_populate_record(measure, jsonb_build_object(
        'window_start', hour,
        'window_end', hour + interval '1 hour',
        'measured_at', hour + interval '1 hour'
    )) AS changed
ORDER BY hour;
