-- One row per version of an agreement. The connection is empty for the agreement that all share.
CREATE TABLE agreement (
    connection   TEXT   NOT NULL,
    hash         TEXT   NOT NULL,
    title        TEXT   NOT NULL,
    version      TEXT   NOT NULL,
    body         TEXT   NOT NULL,
    offered_at   BIGINT NOT NULL,
    activated_at BIGINT,
    PRIMARY KEY (connection, hash)
);
