-- Messages that no effect on a record asks for: disputes, attestations, reviews, the journal's hash.
CREATE TABLE letter (
    connection   TEXT   NOT NULL,
    key          TEXT   NOT NULL,
    destinations TEXT   NOT NULL,
    body         TEXT   NOT NULL,
    state        TEXT   NOT NULL,
    attempts     BIGINT NOT NULL,
    not_before   BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    note         TEXT,
    PRIMARY KEY (connection, key)
);
CREATE INDEX letter_open ON letter (connection, not_before) WHERE state IN ('due', 'sending', 'again');
