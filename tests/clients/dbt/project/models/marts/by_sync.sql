{{ config(
    materialized='incremental', unique_key=['play_id', 'user_id'], incremental_strategy='delete+insert',
    on_schema_change='sync_all_columns',
) }}
select play_id, user_id
{% if is_incremental() %}, level::varchar(40) as level
{% else %}, 'x'::varchar(10) as level, 5 as gone
{% endif %}
from {{ ref('stg_plays') }} where user_id < 30
