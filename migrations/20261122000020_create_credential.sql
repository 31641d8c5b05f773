-- What CRMs granted to leadpact when somebody signed in with a browser. The tokens are in `sealed` alone,
-- under a key that is not in the database; the columns beside it are for showing.
CREATE TABLE credential (
    connection    TEXT   NOT NULL PRIMARY KEY,
    -- Every renewal raises it.
    version       BIGINT NOT NULL,
    key_id        TEXT   NOT NULL,
    sealed        TEXT   NOT NULL,
    account       TEXT,
    granted_at    BIGINT NOT NULL,
    expires_at    BIGINT,
    -- Who signed in, and when.
    signed_in_by  TEXT   NOT NULL,
    signed_in_at  BIGINT NOT NULL,
    -- Who renews it now, and until when nobody else may.
    claimed_by    TEXT,
    claimed_until BIGINT
);
-- Sign-ins under way. First a ticket that a command printed, then the state that the CRM brings back;
-- each only as its SHA-256, and each works once.
CREATE TABLE sign_in (
    digest     TEXT   NOT NULL PRIMARY KEY,
    kind       TEXT   NOT NULL,
    connection TEXT   NOT NULL,
    -- Who asked for the ticket.
    asked_by   TEXT   NOT NULL,
    expires_at BIGINT NOT NULL,
    -- The SHA-256 of the cookie of the browser that it was begun in.
    browser    TEXT,
    -- The sealed PKCE verifier.
    key_id     TEXT,
    sealed     TEXT
);
CREATE INDEX sign_in_open ON sign_in (connection, kind, expires_at);
