select * from {{ ref('by_delete_insert') }} where started_at > getdate()
