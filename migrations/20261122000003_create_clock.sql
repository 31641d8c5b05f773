-- One row per open run of a clock, for lists and counts; the standing is what counts.
CREATE TABLE clock (
    connection TEXT   NOT NULL,
    object     TEXT   NOT NULL,
    id         TEXT   NOT NULL,
    source     TEXT   NOT NULL,
    pass       BIGINT NOT NULL,
    run        BIGINT NOT NULL,
    party      TEXT,
    owner      TEXT,
    started    BIGINT NOT NULL,
    deadline   BIGINT NOT NULL,
    state      TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    PRIMARY KEY (connection, object, id, source, pass, run)
);
CREATE INDEX clock_soonest ON clock (connection, deadline, object, id, source, pass, run);
CREATE INDEX clock_soonest_of_all ON clock (deadline, connection, object, id, source, pass, run);
CREATE INDEX clock_owner ON clock (connection, owner);
