-- users_of_account_idx of 0036 stands in its place. By itself, because it keeps readers out while it waits for them.
DROP INDEX users_account_id_idx;
