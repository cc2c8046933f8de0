select
    md5(userid || '-' || ts || '-' || sessionid || '-' || iteminsession) as play_id,
    userid as user_id,
    sessionid as session_id,
    dateadd(second, (ts / 1000)::int, '1970-01-01'::timestamp) as started_at,
    trunc(started_at) as day,
    level,
    song,
    artist,
    length
from {{ source('raw', 'staging_events') }}
where page = 'NextSong'
qualify row_number() over (partition by userid, ts, sessionid, iteminsession order by song) = 1
