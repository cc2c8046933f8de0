-- External schemas and what is in them, libraries: the views have their columns, and there is nothing in them (Database Developer
-- Guide, the pages of the views' names).
CREATE OR REPLACE VIEW pg_catalog.svv_external_schemas AS
SELECT
    NULL::oid AS esoid,
    NULL::smallint AS eskind,
    NULL::name AS schemaname,
    NULL::integer AS esowner,
    NULL::text AS databasename,
    NULL::text AS esoptions
WHERE false;

CREATE OR REPLACE VIEW pg_catalog.svv_external_databases AS
SELECT
    NULL::integer AS eskind,
    NULL::text AS esoptions,
    NULL::text AS databasename,
    NULL::text AS location,
    NULL::text AS parameters
WHERE false;

CREATE OR REPLACE VIEW pg_catalog.svv_external_tables AS
SELECT
    NULL::text AS redshift_database_name,
    NULL::text AS schemaname,
    NULL::text AS tablename,
    NULL::text AS tabletype,
    NULL::text AS location,
    NULL::text AS input_format,
    NULL::text AS output_format,
    NULL::text AS serialization_lib,
    NULL::text AS serde_parameters,
    NULL::integer AS compressed,
    NULL::text AS parameters
WHERE false;

CREATE OR REPLACE VIEW pg_catalog.svv_external_columns AS
SELECT
    NULL::text AS redshift_database_name,
    NULL::text AS schemaname,
    NULL::text AS tablename,
    NULL::text AS columnname,
    NULL::text AS external_type,
    NULL::integer AS columnnum,
    NULL::integer AS part_key,
    NULL::text AS is_nullable
WHERE false;

CREATE OR REPLACE VIEW pg_catalog.svv_external_partitions AS
SELECT
    NULL::text AS schemaname,
    NULL::text AS tablename,
    NULL::text AS values,
    NULL::text AS location,
    NULL::text AS input_format,
    NULL::text AS output_format,
    NULL::text AS serialization_lib,
    NULL::text AS serde_parameters,
    NULL::integer AS compressed,
    NULL::text AS parameters
WHERE false;

CREATE OR REPLACE VIEW pg_catalog.pg_library AS
SELECT
    NULL::name AS name,
    NULL::oid AS language_oid,
    NULL::integer AS file_store_id,
    NULL::integer AS owner
WHERE false;

-- Not in the guide; by AWS's v_generate_tbl_ddl it names the tables with BACKUP NO, which RA3 and Serverless ignore.
CREATE OR REPLACE VIEW pg_catalog.pg_conf AS
SELECT NULL::text AS key, NULL::text AS value
WHERE false;

GRANT SELECT ON
    pg_catalog.svv_external_schemas, pg_catalog.svv_external_databases, pg_catalog.svv_external_tables,
    pg_catalog.svv_external_columns, pg_catalog.svv_external_partitions, pg_catalog.pg_library, pg_catalog.pg_conf
TO PUBLIC;
