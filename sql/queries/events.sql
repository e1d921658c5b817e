-- Events: what happened, in the transaction that made it true. Who did it is who entered (sql/migrations/0001, enter()).

-- $1 id, $2 type, $3 subject, $4 kind of actor, $5 address, $6 request, $7 data.
-- name: events_create :exec
INSERT INTO events (tenant_id, id, type, subject_id, actor_kind, account_id, user_id, session_id, api_key_id, ip, request_id, data)
VALUES (current_tenant(), $1, $2, $3, $4, current_account(), current_seat(), current_session(), current_api_key(), $5, $6,
        coalesce($7::jsonb, '{}'));

-- What happened to an account, outside any tenant: to $6, or to the one that has entered; nothing when there is neither.
-- $1 id, $2 type, $3 address, $4 user agent, $5 request.
-- name: events_create_of_account :exec  role: identity
INSERT INTO account_events (account_id, id, type, session_id, ip, user_agent, request_id)
SELECT a.id, $1, $2, current_session(), $3::inet, $4, $5
FROM accounts a
WHERE a.id = coalesce($6, current_account());
