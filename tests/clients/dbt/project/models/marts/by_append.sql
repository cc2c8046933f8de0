{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='append_new_columns', backup=false,
) }}
select play_id, user_id, started_at {% if is_incremental() %}, 1 as extra {% endif %}
from {{ ref('stg_plays') }} order by started_at, play_id limit 10
