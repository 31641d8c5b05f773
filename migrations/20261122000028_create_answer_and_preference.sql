-- Tokens behind Slack's buttons and the links in e-mails, by their hash, and how people want to be told.
CREATE TABLE answer (
    connection TEXT   NOT NULL,
    token      TEXT   NOT NULL,
    purpose    TEXT   NOT NULL,
    about      TEXT   NOT NULL,
    person     TEXT,
    email      TEXT   NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT,
    PRIMARY KEY (connection, token)
);
CREATE INDEX answer_expiry ON answer (connection, expires_at);

CREATE TABLE preference (
    connection  TEXT   NOT NULL,
    owner       TEXT   NOT NULL,
    channel     TEXT   NOT NULL,
    gathering   TEXT   NOT NULL,
    quiet_from  BIGINT,
    quiet_until BIGINT,
    set_by      TEXT   NOT NULL,
    at          BIGINT NOT NULL,
    PRIMARY KEY (connection, owner)
);
