-- What the platform's people do to jobs and queues, which no tenant's log tells of, is an event of their account.
GRANT INSERT ON account_events TO zygo_system;
