-- The page of disputes: those that wait by when they are to be decided, decided ones the newest first;
-- of everybody, of a connection, of a party.
CREATE INDEX dispute_waiting ON dispute (COALESCE(step_due, 9223372036854775807), id)
    WHERE state IN ('open', 'exhausted');
CREATE INDEX dispute_waiting_connection ON dispute (connection, COALESCE(step_due, 9223372036854775807), id)
    WHERE state IN ('open', 'exhausted');
CREATE INDEX dispute_waiting_party ON dispute (party, COALESCE(step_due, 9223372036854775807), id)
    WHERE state IN ('open', 'exhausted');
CREATE INDEX dispute_over ON dispute (decided_at, id) WHERE state IN ('upheld', 'dismissed', 'withdrawn');
CREATE INDEX dispute_over_connection ON dispute (connection, decided_at, id)
    WHERE state IN ('upheld', 'dismissed', 'withdrawn');
CREATE INDEX dispute_over_party ON dispute (party, decided_at, id)
    WHERE state IN ('upheld', 'dismissed', 'withdrawn');
