-- People who sign in to the pages. Of every secret only its SHA-256 is kept, of a password its Argon2id
-- hash. `party` and `title` are for who signs agreements.
CREATE TABLE account (
    id         TEXT    NOT NULL PRIMARY KEY,
    login      TEXT    NOT NULL UNIQUE,
    name       TEXT    NOT NULL,
    role       TEXT    NOT NULL,
    party      TEXT,
    title      TEXT,
    password   TEXT,
    disabled   BOOLEAN NOT NULL,
    created_at BIGINT  NOT NULL,
    created_by TEXT    NOT NULL
);
-- A browser that is signed in, by the hash of its token.
CREATE TABLE session (
    token      TEXT   NOT NULL PRIMARY KEY,
    account    TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    address    TEXT   NOT NULL,
    browser    TEXT   NOT NULL
);
CREATE INDEX session_account ON session (account, created_at);
-- Links that work once: to sign in, or to set a password.
CREATE TABLE one_time_link (
    token      TEXT   NOT NULL PRIMARY KEY,
    account    TEXT   NOT NULL,
    purpose    TEXT   NOT NULL,
    expires_at BIGINT NOT NULL
);
-- What programs sign in with.
CREATE TABLE api_token (
    name       TEXT   NOT NULL PRIMARY KEY,
    token      TEXT   NOT NULL UNIQUE,
    scope      TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT   NOT NULL,
    expires_at BIGINT NOT NULL
);
-- Wrong passwords, by account and by address; all replicas count here.
CREATE TABLE sign_in_attempt (
    subject       TEXT   NOT NULL PRIMARY KEY,
    failures      BIGINT NOT NULL,
    last_at       BIGINT NOT NULL,
    blocked_until BIGINT NOT NULL
);
CREATE INDEX sign_in_attempt_age ON sign_in_attempt (last_at);
