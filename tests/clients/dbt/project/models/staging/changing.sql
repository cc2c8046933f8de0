{{ config(materialized='table') }}
select id, name, getdate() as updated_at from {{ ref('countries') }}
{% if var('second', false) %} where id <> 2 {% endif %}
