MODEL (name mesh.daily, kind FULL, audits (unique_combination_of_columns(columns := (day, name))));

SELECT TRUNC(p.start_time)::DATE AS day, l.name::VARCHAR(20) AS name, COUNT(*)::BIGINT AS plays
FROM mesh.plays AS p
JOIN mesh.levels AS l ON l.level = p.level
GROUP BY 1, 2
