{{ config(
    materialized='incremental', incremental_strategy='microbatch', event_time='started_at', batch_size='day',
    begin='2018-11-28', lookback=1,
) }}
select * from {{ ref('stg_plays') }}
