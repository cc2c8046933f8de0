-- The results of every hour's checks.
INSERT INTO ops.quality_results
SELECT changed.*
FROM
    generate_series(%(first)s, %(end)s - interval '1 hour', interval '1 hour') AS hour,
    pattern.quality_results AS result,
    jsonb_populate_record(result, jsonb_build_object(
        'run_id', pattern.run_id(hour),
        'window_start', hour,
        'window_end', hour + interval '1 hour',
        'checked_at', hour + interval '1 hour'
    )) AS changed
ORDER BY hour;
