-- What was sold in each month, and what was planned?
-- Chart: sold by month.
SELECT
    store_sales.month,
    SUM(store_sales.actual) AS sold,
    SUM(store_sales.budget) AS planned,
    ROUND(100.0 * SUM(store_sales.actual) / NULLIF(SUM(store_sales.budget), 0), 1) AS percent_of_plan
FROM store_sales
GROUP BY store_sales.month
ORDER BY store_sales.month;
