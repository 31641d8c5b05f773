-- Sign-ins that went on to the identity provider: of what comes back, and of the browser that it must
-- come back in, only the SHA-256.
CREATE TABLE oidc_sign_in (
    state      TEXT   NOT NULL PRIMARY KEY,
    browser    TEXT   NOT NULL,
    next       TEXT   NOT NULL,
    address    TEXT   NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX oidc_sign_in_expiry ON oidc_sign_in (expires_at);
CREATE INDEX oidc_sign_in_address ON oidc_sign_in (address, expires_at);
-- Which person at a provider an account is of. `mapped`: the provider says the account's role.
CREATE TABLE oidc_identity (
    issuer   TEXT    NOT NULL,
    subject  TEXT    NOT NULL,
    account  TEXT    NOT NULL,
    mapped   BOOLEAN NOT NULL,
    bound_at BIGINT  NOT NULL,
    PRIMARY KEY (issuer, subject)
);
CREATE UNIQUE INDEX oidc_identity_account ON oidc_identity (account, issuer);
