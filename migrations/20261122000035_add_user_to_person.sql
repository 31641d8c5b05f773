-- The id by which a CRM's news name a person, where it is another than that of the owner.
ALTER TABLE person ADD COLUMN user_id TEXT;
