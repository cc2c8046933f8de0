{{ config(materialized='view', bind=False) }}
select * from {{ source('raw', 'staging_songs') }}
