-- What do listeners listen with? User agents by plays, distinct users and distinct sessions.
-- Chart: plays by user_agent.
SELECT
    songplays.user_agent,
    COUNT(*) AS plays,
    COUNT(DISTINCT songplays.user_id) AS users,
    COUNT(DISTINCT songplays.session_id) AS sessions
FROM songplays
GROUP BY songplays.user_agent
ORDER BY plays DESC, songplays.user_agent ASC
LIMIT 10;
