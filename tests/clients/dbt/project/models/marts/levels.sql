{{ config(materialized='materialized_view', auto_refresh=false, dist='even') }}
select level, count(*) as plays from {{ ref('by_delete_insert') }} group by 1
