-- Users with a play; level and names are those of the user's newest play, made at level_as_of.
CREATE TABLE IF NOT EXISTS users (
    user_id INTEGER NOT NULL,
    first_name VARCHAR(256),
    last_name VARCHAR(256),
    gender VARCHAR(16),
    level VARCHAR(16),
    level_as_of TIMESTAMP NOT NULL,
    PRIMARY KEY (user_id)
)
DISTKEY (user_id)
SORTKEY (user_id);
