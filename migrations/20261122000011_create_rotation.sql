-- Whose turn it was last in a party's roster.
CREATE TABLE rotation (
    connection TEXT   NOT NULL,
    party      TEXT   NOT NULL,
    turn       BIGINT NOT NULL,
    PRIMARY KEY (connection, party)
);
