-- Which member of a team was told of which version, and confirmed it. `next_at` is when to tell (again);
-- NULL once told, or given up as `how` says.
CREATE TABLE receipt (
    connection   TEXT   NOT NULL,
    agreement    TEXT   NOT NULL,
    person       TEXT   NOT NULL,
    name         TEXT   NOT NULL,
    email        TEXT   NOT NULL,
    next_at      BIGINT,
    attempts     BIGINT NOT NULL,
    informed_at  BIGINT,
    confirmed_at BIGINT,
    how          TEXT,
    PRIMARY KEY (connection, agreement, person)
);
