-- Which regions sell most?
-- Chart: sold by region.
SELECT
    stores.region,
    COUNT(DISTINCT stores.store_id) AS stores_with_sales,
    SUM(store_sales.actual) AS sold,
    SUM(store_sales.budget) AS planned
FROM store_sales
INNER JOIN stores ON store_sales.store_id = stores.store_id
GROUP BY stores.region
ORDER BY sold DESC, stores.region ASC
LIMIT 20;
