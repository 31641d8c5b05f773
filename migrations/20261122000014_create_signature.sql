-- Who signed which version. A signature is under a text, whichever connections that text governs, so
-- no connection stands in the key. `on_behalf_of` is whom the agreement names, where another signed.
CREATE TABLE signature (
    agreement    TEXT   NOT NULL,
    party        TEXT   NOT NULL,
    name         TEXT   NOT NULL,
    title        TEXT   NOT NULL,
    on_behalf_of TEXT,
    entered_by   TEXT   NOT NULL,
    signed_at    BIGINT NOT NULL,
    PRIMARY KEY (agreement, party)
);
-- What decides when a version becomes active, so that nobody need read its text for that, and the
-- files that it names, so that it can be read as it was signed. NULL until the file is offered again.
ALTER TABLE agreement ADD COLUMN files TEXT;
ALTER TABLE agreement ADD COLUMN signers TEXT;
ALTER TABLE agreement ADD COLUMN effective_at BIGINT;
ALTER TABLE agreement ADD COLUMN superseded_at BIGINT;
