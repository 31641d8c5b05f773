-- One row per effect, unique by its key.
CREATE TABLE outbox (
    connection TEXT   NOT NULL,
    effect_key TEXT   NOT NULL,
    object     TEXT   NOT NULL,
    id         TEXT   NOT NULL,
    action     TEXT   NOT NULL,
    lane       TEXT   NOT NULL,
    state      TEXT   NOT NULL,
    not_before BIGINT NOT NULL,
    attempts   BIGINT NOT NULL,
    updated    BIGINT NOT NULL,
    effect     TEXT   NOT NULL,
    payload    TEXT,
    outcome    TEXT,
    PRIMARY KEY (connection, effect_key)
);
CREATE INDEX outbox_due ON outbox (connection, lane, not_before, effect_key) WHERE state = 'due';
CREATE INDEX outbox_sending ON outbox (connection, effect_key) WHERE state = 'sending';
CREATE INDEX outbox_parked ON outbox (updated, connection, effect_key) WHERE state = 'parked';

-- For letting go of what ended long ago.
CREATE INDEX outbox_ended ON outbox (connection, updated)
    WHERE state IN ('done', 'dropped', 'would_have', 'withdrawn');
