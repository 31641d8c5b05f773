-- What people look for in a journal of many millions of entries is found in an index alone, whatever they combine.
DROP INDEX journal_kind;
DROP INDEX journal_source;
DROP INDEX journal_person;
CREATE INDEX journal_kind ON journal (connection, kind, seq, seen_at);
CREATE INDEX journal_source ON journal (connection, source, kind, seq, seen_at) WHERE source <> '';
CREATE INDEX journal_actor ON journal (connection, actor, seq, source, kind, seen_at);
-- Of a record, what kind an entry is.
DROP INDEX journal_record;
CREATE INDEX journal_record ON journal (connection, object, id, seq, kind);
DROP INDEX journal_entered;
CREATE INDEX journal_entered ON journal (connection, object, item, at, id, pass, kind, owner)
    WHERE kind IN ('stage_entered', 'converted');
-- A clock belongs to one party as long as the agreement says so: both together are as quick as either.
DROP INDEX clock_source;
CREATE INDEX clock_source ON clock (connection, source, party, state, deadline, object, id, pass, run);
-- How much a connection gave up is told every few seconds.
DROP INDEX outbox_parked;
CREATE INDEX outbox_parked ON outbox (connection, updated, effect_key) WHERE state = 'parked';
