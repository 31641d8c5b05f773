-- The CRM's directory of owners, as last read.
CREATE TABLE person (
    connection TEXT    NOT NULL,
    id         TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    email      TEXT,
    manager    TEXT,
    active     BOOLEAN NOT NULL,
    queue      BOOLEAN NOT NULL,
    PRIMARY KEY (connection, id)
);
