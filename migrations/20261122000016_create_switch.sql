-- What people (and the breaker) have switched: one row per connection and name, the connection empty
-- for what holds everywhere.
CREATE TABLE switch (
    connection TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    is_on      BOOLEAN NOT NULL,
    until      BIGINT,
    set_by     TEXT    NOT NULL,
    why        TEXT    NOT NULL,
    at         BIGINT  NOT NULL,
    PRIMARY KEY (connection, name)
);
-- From whom a move takes the record, set when it leaves: for the breaker and for the pace.
ALTER TABLE outbox ADD COLUMN owner TEXT;
-- What a person decided about a move that the breaker held.
ALTER TABLE outbox ADD COLUMN ruling TEXT;
CREATE INDEX outbox_held ON outbox (connection, not_before, effect_key) WHERE state = 'held';
CREATE INDEX outbox_ruled ON outbox (connection, effect_key) WHERE state = 'due' AND ruling IS NOT NULL;
-- For undoing what was moved in a stretch of time.
CREATE INDEX journal_moves ON journal (connection, at) WHERE kind IN ('recycled', 'reassigned', 'nurtured');
