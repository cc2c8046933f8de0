{{ config(
    materialized='incremental', unique_key='play_id', incremental_strategy='delete+insert',
    dist='user_id', sort_type='compound', sort=['started_at'],
) }}
select * from {{ ref('stg_plays') }}
{% if is_incremental() %}
where started_at > (select dateadd(day, -1, max(started_at)) from {{ this }})
{% endif %}
