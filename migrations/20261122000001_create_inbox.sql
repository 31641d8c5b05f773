-- One row per received delivery, person's order, or event set aside from a delivery. The id is a
-- UUID of version 7: its text sorts by the moment of receipt, and deleting by age needs no index.
CREATE TABLE inbox (
    connection  TEXT   NOT NULL,
    id          TEXT   NOT NULL,
    delivery_id TEXT,
    kind        TEXT   NOT NULL,
    state       TEXT   NOT NULL,
    attempts    BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    error       TEXT,
    body        TEXT   NOT NULL,
    PRIMARY KEY (connection, id)
);
CREATE UNIQUE INDEX inbox_delivery ON inbox (connection, delivery_id) WHERE delivery_id IS NOT NULL;
CREATE INDEX inbox_received ON inbox (connection, id) WHERE state = 'received';
CREATE INDEX inbox_parked ON inbox (connection, id) WHERE state = 'parked';
