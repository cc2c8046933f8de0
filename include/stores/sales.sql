-- A line that is there twice is one sale; two that differ for one store and month fail the load's audit.
SELECT DISTINCT
    month,
    budget,
    actual,
    MD5(city || '|' || brand || '|' || location) AS store_id
FROM staging_sales
WHERE month >= %(window_start)s AND month < %(window_end)s;
