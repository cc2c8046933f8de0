{{ config(materialized='table', dist='even', sort_type='interleaved', sort=['day', 'level']) }}
select day, level, count(*) as plays, count(distinct user_id) as users, sum(length)::decimal(18, 2) as seconds
from {{ ref('by_delete_insert') }} group by 1, 2
