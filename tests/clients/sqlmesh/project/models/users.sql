MODEL (name mesh.users, kind INCREMENTAL_BY_UNIQUE_KEY (unique_key userid));

SELECT userid::INT AS userid, MAX(level)::VARCHAR(10) AS level FROM mesh.plays GROUP BY userid
