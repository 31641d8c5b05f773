-- An owner's or a party's open clocks, each clock by deadline within a state: a clock that they seldom have is
-- found as quickly as one that they often have. They take the places of the indexes that left the clock out.
DROP INDEX clock_owner;
DROP INDEX clock_party;
CREATE INDEX clock_owner ON clock (connection, owner, source, state, deadline, object, id, pass, run, party);
CREATE INDEX clock_party ON clock (connection, party, source, state, deadline, object, id, pass, run);
-- What was dropped is rare among what was received, and so is what would have moved a record.
CREATE INDEX inbox_dropped ON inbox (connection, id) WHERE state = 'dropped';
CREATE INDEX outbox_missed ON outbox (connection, not_before, effect_key)
    WHERE state = 'would_have' AND action IN ('reassign', 'recycle', 'nurture');
-- Records of a name are found by standing_found, whichever connection they are of.
DROP INDEX standing_name;
