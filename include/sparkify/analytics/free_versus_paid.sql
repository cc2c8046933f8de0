-- How do free and paid compare? The plan is the one at the moment of the play: who changed it counts in both.
-- Chart: plays by level.
SELECT
    songplays.level,
    COUNT(*) AS plays,
    ROUND(100.0 * COUNT(*) / SUM(COUNT(*)) OVER (), 1) AS percent_of_plays,
    COUNT(DISTINCT songplays.user_id) AS listeners,
    COUNT(DISTINCT songplays.session_id) AS sessions
FROM songplays
GROUP BY songplays.level
ORDER BY plays DESC, songplays.level ASC;
