-- The lists of deliveries: each kind of effect in each state, the newest first, and a record's own.
CREATE INDEX outbox_list ON outbox (connection, lane, state, updated, effect_key);
CREATE INDEX outbox_record ON outbox (connection, object, id);
-- What is not a CRM's delivery is rare among them.
CREATE INDEX inbox_odd ON inbox (connection, kind, state, id) WHERE kind <> 'delivery';
CREATE INDEX letter_list ON letter (connection, state, created_at, key);
-- The journal, looked through by kind, by clock and by person.
CREATE INDEX journal_kind ON journal (connection, kind, seq);
CREATE INDEX journal_source ON journal (connection, source, seq) WHERE source <> '';
CREATE INDEX journal_person ON journal (connection, actor, seq)
    WHERE actor NOT IN ('"unknown"', '"automation"', '"leadpact"');
-- Records by what they are called.
CREATE INDEX standing_name ON standing (connection, lower(name));
