-- One row per fact, chained by hash within a connection. A privacy deletion empties detail and salt;
-- the chain holds the digest and goes on.
CREATE TABLE journal (
    connection TEXT   NOT NULL,
    seq        BIGINT NOT NULL,
    fact_key   TEXT   NOT NULL,
    kind       TEXT   NOT NULL,
    at         BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    object     TEXT   NOT NULL,
    id         TEXT   NOT NULL,
    pass       BIGINT NOT NULL,
    source     TEXT   NOT NULL,
    run        BIGINT NOT NULL,
    item       TEXT   NOT NULL,
    party      TEXT,
    owner      TEXT,
    stage      TEXT,
    actor      TEXT   NOT NULL,
    agreement  TEXT   NOT NULL,
    detail     TEXT,
    salt       TEXT,
    digest     TEXT   NOT NULL,
    hash       TEXT   NOT NULL,
    PRIMARY KEY (connection, seq)
);
CREATE INDEX journal_record ON journal (connection, object, id, seq);
-- The last link of each chain: whoever appends locks it, whoever verifies compares with it.
CREATE TABLE journal_head (
    connection TEXT   NOT NULL PRIMARY KEY,
    seq        BIGINT NOT NULL,
    hash       TEXT   NOT NULL
);
