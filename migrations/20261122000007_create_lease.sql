-- Who works a connection. The fence grows with every change of hands and never shrinks.
CREATE TABLE lease (
    connection TEXT   NOT NULL PRIMARY KEY,
    holder     TEXT   NOT NULL,
    fence      BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
