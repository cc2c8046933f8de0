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
-- A store's month. No foreign key: a sale's store may be unknown, and Redshift plans as if keys held.
CREATE TABLE IF NOT EXISTS store_sales (
    store_id VARCHAR(32) NOT NULL, month TIMESTAMP NOT NULL, budget DOUBLE PRECISION, actual DOUBLE PRECISION,
    PRIMARY KEY (store_id, month)
) SORTKEY (month);
