-- The week's events again, so long ago; sessions get numbers of their own.
INSERT INTO staging_events
SELECT changed.*
FROM
    pattern.staging_events AS event,
    jsonb_populate_record(event, jsonb_build_object(
        'ts', ts - %(ago)s,
        'session_id', session_id + %(sessions)s,
        'load_id', pattern.load_id(date_trunc('hour', ts - %(ago)s), 'stage_events')
    )) AS changed
WHERE event.ts - %(ago)s >= %(first)s
ORDER BY event.ts;
