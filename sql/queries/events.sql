-- Events: what happened, in the transaction that made it true. Who did it is who entered (sql/migrations/0001, enter()).

-- $1 id, $2 type, $3 subject, $4 kind of actor, $5 address, $6 request, $7 data; $8 what the subject is where $3 is NULL: the acting
-- 'seat', or the 'tenant'.
-- name: events_create :exec
INSERT INTO events (tenant_id, id, type, subject_id, actor_kind, account_id, user_id, session_id, api_key_id, ip, request_id, data)
VALUES (current_tenant(), event_id($1), $2, coalesce($3, CASE $8 WHEN 'seat' THEN current_seat() WHEN 'tenant' THEN current_tenant() END), $4,
        current_account(), current_seat(), current_session(), current_api_key(), $5, $6,
        coalesce($7::jsonb, '{}'));

-- What happened to an account, outside any tenant: to $6, or to the one that has entered; nothing when there is neither.
-- $1 id, $2 type, $3 address, $4 user agent, $5 request.
-- name: events_create_of_account :exec  role: identity
INSERT INTO account_events (account_id, id, type, session_id, ip, user_agent, request_id)
SELECT a.id, event_id($1), $2, current_session(), $3::inet, $4, $5
FROM accounts a
WHERE a.id = coalesce($6, current_account());

-- What the account that has entered did as one of the platform's people, of what no tenant's log tells; nothing where nobody has entered.
-- $1 id, $2 type, $3 address, $4 request, $5 and $6 what it was done to: a word and its name.
-- name: events_create_of_platform :exec  role: system
INSERT INTO account_events (account_id, id, type, session_id, ip, request_id, data)
SELECT current_account(), event_id($1), $2, current_session(), $3::inet, $4, jsonb_build_object($5::text, $6::text)
WHERE current_account() IS NOT NULL;

-- An attempt that was refused, by its credential: nothing where it is over, or has no seat in the tenant, or was refused the same within
-- a minute.
-- $1 id, $2 kind of actor, $3 address, $4 request, $5 data; $6 tenant or NULL, as in enter(); $7 session or NULL, or else $8 hash of its
-- cookie, or $9 of an API key.
-- name: events_create_of_refusal :exec  role: identity
INSERT INTO events (tenant_id, id, type, subject_id, actor_kind, account_id, user_id, session_id, api_key_id, ip, request_id, data)
SELECT u.tenant_id, event_id($1), 'access.refused', u.id, $2, u.account_id, u.id, who.session_id, who.api_key_id, $3::inet, $4, $5::jsonb
FROM (
	SELECT s.account_id, coalesce($6, s.active_tenant_id) AS tenant_id, s.id AS session_id, NULL::uuid AS api_key_id
	FROM sessions s
	WHERE (s.id = $7 OR s.token_hash = $8) AND s.revoked_at IS NULL
	UNION ALL
	SELECT m.account_id, k.tenant_id, NULL, k.api_key_id
	FROM api_key_secrets k
	JOIN api_keys y ON y.tenant_id = k.tenant_id AND y.id = k.api_key_id
	JOIN users m ON m.tenant_id = y.tenant_id AND m.id = y.user_id
	WHERE k.hash = $9
) AS who
JOIN users u ON u.tenant_id = who.tenant_id AND u.account_id = who.account_id AND u.deleted_at IS NULL
WHERE NOT EXISTS (
	SELECT FROM events e
	WHERE e.tenant_id = u.tenant_id AND e.id > (SELECT uuid_at(now(), -7200)) AND e.created_at > now() - interval '1 minute' AND e.type = 'access.refused'
	  AND e.account_id = u.account_id AND e.data = $5::jsonb);
