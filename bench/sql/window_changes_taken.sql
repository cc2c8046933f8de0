-- All that is made from the events has taken these hours in.
INSERT INTO ops.changes_taken (target_table, change_load_id, load_id)
SELECT
    load.target_table,
    late.load_id,
    pattern.load_id(late.window_start, load.task_id)
FROM ops.changes AS late, pattern.loads AS load
WHERE load.window_start IS NOT NULL AND load.target_table <> 'staging_events';
