-- What somebody attested for a period of a commitment. The connection is empty for the agreement
-- that all share.
CREATE TABLE attestation (
    connection  TEXT    NOT NULL,
    commitment  TEXT    NOT NULL,
    period      TEXT    NOT NULL,
    period_from BIGINT  NOT NULL,
    answer      BOOLEAN NOT NULL,
    named       TEXT    NOT NULL,
    note        TEXT,
    at          BIGINT  NOT NULL,
    PRIMARY KEY (connection, commitment, period)
);
-- A fact that somebody disputes, and how far it has climbed.
CREATE TABLE dispute (
    connection TEXT   NOT NULL,
    id         TEXT   NOT NULL,
    object     TEXT   NOT NULL,
    record     TEXT   NOT NULL,
    fact_key   TEXT   NOT NULL,
    fact_at    BIGINT NOT NULL,
    kind       TEXT   NOT NULL,
    source     TEXT   NOT NULL,
    party      TEXT,
    owner      TEXT,
    opened_at  BIGINT NOT NULL,
    opened_by  TEXT   NOT NULL,
    why        TEXT   NOT NULL,
    step       BIGINT NOT NULL,
    told_step  BIGINT NOT NULL,
    step_due   BIGINT,
    state      TEXT   NOT NULL,
    decided_at BIGINT,
    decided_by TEXT,
    verdict    TEXT,
    PRIMARY KEY (connection, id)
);
-- One fact is disputed once at a time.
CREATE UNIQUE INDEX dispute_open ON dispute (connection, object, record, fact_key, fact_at)
    WHERE state IN ('open', 'exhausted');
CREATE INDEX dispute_state ON dispute (connection, state, opened_at);
CREATE INDEX dispute_id ON dispute (id);
