-- How far something has come, by connection and name.
CREATE TABLE cursor (
    connection TEXT NOT NULL,
    name       TEXT NOT NULL,
    position   TEXT NOT NULL,
    PRIMARY KEY (connection, name)
);
