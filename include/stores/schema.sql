-- The newest version of each store; city, brand and location are what identifies one.
CREATE TABLE IF NOT EXISTS staging_stores (
    city VARCHAR(256), brand VARCHAR(256), ads DOUBLE PRECISION, region VARCHAR(256), location VARCHAR(256),
    nb_cash_register INTEGER, population INTEGER, blue_collar_rate DOUBLE PRECISION,
    white_collar_rate DOUBLE PRECISION, jobless_rate DOUBLE PRECISION, lt_25_yo DOUBLE PRECISION,
    "25_35_yo" DOUBLE PRECISION, gt_35_yo DOUBLE PRECISION, load_id VARCHAR(64)
) DISTSTYLE ALL;
CREATE TABLE IF NOT EXISTS staging_sales (
    city VARCHAR(256), brand VARCHAR(256), location VARCHAR(256), month TIMESTAMP,
    budget DOUBLE PRECISION, actual DOUBLE PRECISION, load_id VARCHAR(64)
) SORTKEY (month);
CREATE TABLE IF NOT EXISTS stores (
    store_id VARCHAR(32) NOT NULL, city VARCHAR(256), brand VARCHAR(256), location VARCHAR(256),
    region VARCHAR(256), ads DOUBLE PRECISION, nb_cash_register INTEGER, population INTEGER,
    blue_collar_rate DOUBLE PRECISION, white_collar_rate DOUBLE PRECISION, jobless_rate DOUBLE PRECISION,
    lt_25_yo DOUBLE PRECISION, "25_35_yo" DOUBLE PRECISION, gt_35_yo DOUBLE PRECISION, PRIMARY KEY (store_id)
) DISTSTYLE ALL;
-- One row for each store and month, also of stores that are not known yet.
CREATE TABLE IF NOT EXISTS store_sales (
    store_id VARCHAR(32) NOT NULL, month TIMESTAMP NOT NULL, budget DOUBLE PRECISION, actual DOUBLE PRECISION,
    PRIMARY KEY (store_id, month), FOREIGN KEY (store_id) REFERENCES stores (store_id)
) SORTKEY (month);
