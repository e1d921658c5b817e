-- sessions_of_account_idx of 0036 stands in its place. By itself, as 0041.
DROP INDEX sessions_account_id_idx;
