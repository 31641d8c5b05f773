-- One row per applied change. The digest of the change is part of the key: the same change is one row.
CREATE TABLE history (
    connection TEXT   NOT NULL,
    object     TEXT   NOT NULL,
    id         TEXT   NOT NULL,
    at         BIGINT NOT NULL,
    digest     TEXT   NOT NULL,
    body       TEXT   NOT NULL,
    PRIMARY KEY (connection, object, id, at, digest)
);
CREATE INDEX history_age ON history (connection, at);
