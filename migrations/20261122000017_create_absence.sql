-- Owners who take no records until then.
CREATE TABLE absence (
    connection TEXT   NOT NULL,
    owner      TEXT   NOT NULL,
    until      BIGINT NOT NULL,
    set_by     TEXT   NOT NULL,
    at         BIGINT NOT NULL,
    PRIMARY KEY (connection, owner)
);
