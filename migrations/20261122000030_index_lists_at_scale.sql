-- What was dropped is rare among what was received, and so is what would have moved a record.
CREATE INDEX inbox_dropped ON inbox (connection, id) WHERE state = 'dropped';
CREATE INDEX outbox_missed ON outbox (connection, not_before, effect_key)
    WHERE state = 'would_have' AND action IN ('reassign', 'recycle', 'nurture');
-- Records of a name are found by standing_found, whichever connection they are of.
DROP INDEX standing_name;
