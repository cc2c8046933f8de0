-- Every load of songs that there was has reached the facts.
INSERT INTO ops.late_arrivals
SELECT changed.*
FROM
    pattern.late_arrivals AS arrival,
    (SELECT DISTINCT load_id FROM staging_songs) AS loads,
    jsonb_populate_record(arrival, jsonb_build_object('source_load_id', loads.load_id)) AS changed;
