-- Looking for a user: what is looked at stands in one column, lower-cased when it is written rather than for every row of every
-- search. Lines keep email, name and display name apart; first and last name are one, so that both may be typed.
ALTER TABLE users ADD COLUMN search_text text NOT NULL GENERATED ALWAYS AS (
	lower(email || E'\n' || coalesce(first_name, '') || ' ' || coalesce(last_name, '') || E'\n' || coalesce(display_name, ''))
) STORED;

-- It says nothing that the event of a change does not say already.
DROP TRIGGER audit ON users;
CALL audit('users', 'permissions', 'last_login_at', 'search_text');
