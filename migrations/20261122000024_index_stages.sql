-- Which records came to a stage in a period, the newest first: for the lists behind the waterfall's bars.
CREATE INDEX journal_entered ON journal (connection, object, item, at, id)
    WHERE kind IN ('stage_entered', 'converted');
