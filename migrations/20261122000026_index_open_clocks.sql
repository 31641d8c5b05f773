-- Lists of open clocks by owner, by party, by clock and by state, each by deadline within a state; what
-- was found by the former two indexes is found by these.
DROP INDEX clock_owner;
DROP INDEX clock_soonest;
CREATE INDEX clock_state ON clock (connection, state, deadline, object, id, source, pass, run);
CREATE INDEX clock_owner ON clock (connection, owner, state, deadline, object, id, source, pass, run, party);
CREATE INDEX clock_party ON clock (connection, party, state, deadline, object, id, source, pass, run);
CREATE INDEX clock_source ON clock (connection, source, state, deadline, object, id, pass, run);
-- People's orders that wait, and records by the beginning of their name.
CREATE INDEX inbox_order ON inbox (connection, id) WHERE kind = 'order' AND state = 'received';
CREATE INDEX standing_name ON standing (lower(name), connection, object, id);
