{{ config(materialized='table', dist='all', sort=['user_id']) }}
select userid as user_id, max(firstname) as first_name, max(lastname) as last_name, max(gender) as gender
from {{ source('raw', 'staging_events') }} where userid is not null group by 1
