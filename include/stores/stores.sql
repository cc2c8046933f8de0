-- Every store, under an id made of what identifies it: its sales have the same, whichever comes first.
SELECT
    city,
    brand,
    location,
    region,
    ads,
    nb_cash_register,
    population,
    blue_collar_rate,
    white_collar_rate,
    jobless_rate,
    lt_25_yo,
    "25_35_yo",
    gt_35_yo,
    MD5(city || '|' || brand || '|' || location) AS store_id
FROM staging_stores;
