"""UNLOADs as tests write them."""

ROLE = "IAM_ROLE default"
VENUES = (
    "SELECT 1 AS venueid, 'Pinewood Race|track'::VARCHAR(25) AS venuename, 'OH'::CHAR(2) AS venuestate, "
    "0 AS seats "
    "UNION ALL SELECT 2, 'Columbus \"Crew\" Stadium', 'OH', NULL "
    "UNION ALL SELECT 4, 'Community, Ballpark', NULL, 7 ORDER BY 1"
)


def unload(query, url, options=""):
    quoted = query.replace("'", "''")
    return f"UNLOAD ('{quoted}') TO '{url}' {ROLE} {options}"
