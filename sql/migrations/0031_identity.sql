-- If-Match with a list.

-- True when the row has a version that If-Match named, or none was named; else 412 (RFC 9110 section 13.1.1). version_matches() stays
-- for the binaries of before.
CREATE FUNCTION version_is_wanted(p_version bigint, p_wanted bigint[]) RETURNS boolean LANGUAGE plpgsql
AS $$
BEGIN
	IF p_wanted IS NULL OR p_version = ANY (p_wanted) THEN
		RETURN true;
	END IF;
	RETURN refuse('ZY412', 'The resource has changed since it was read');
END
$$;

