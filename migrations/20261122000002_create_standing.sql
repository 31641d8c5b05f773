-- One row per record. What is due is found through the index on wake_at alone, whatever the number
-- of open clocks; a record with nothing to wait for is not in it.
CREATE TABLE standing (
    connection TEXT   NOT NULL,
    object     TEXT   NOT NULL,
    id         TEXT   NOT NULL,
    wake_at    BIGINT,
    updated    BIGINT NOT NULL,
    stage      TEXT,
    owner      TEXT,
    party      TEXT,
    name       TEXT   NOT NULL,
    state      TEXT   NOT NULL,
    PRIMARY KEY (connection, object, id)
);
CREATE INDEX standing_wake ON standing (connection, wake_at, object, id) WHERE wake_at IS NOT NULL;
