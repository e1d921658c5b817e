-- Jobs that say themselves how long they wait after a failure, as max_attempts says how often they are tried.

-- Microseconds before the second attempt; NULL: as the kind says when it fails. No CHECK, which each INSERT would pay for.
ALTER TABLE jobs ADD COLUMN backoff_us bigint;
