# Makes C from the named statements of sql/queries/<domain>.sql: struct sql and struct sql_page of
# src/db/sql.h. Needs any POSIX awk.
#
#	awk -v mode=h   -f scripts/sqlgen.awk sql/queries/x.sql > gen/sql_x.h
#	awk -v mode=c   -f scripts/sqlgen.awk sql/queries/x.sql > gen/sql_x.c
#	awk -v mode=all -f scripts/sqlgen.awk sql/queries/*.sql > gen/sql_all.c
#
# A statement is a `-- name:` line, its options, comments, SQL, and a `;` that ends a line:
#
#	-- What it is for: comments above or below the name reach the header.
#	-- name: projects_create :one  reply: Project  noun: Project
#	INSERT INTO projects (…) VALUES (…)
#	RETURNING id, slug;
#
# The kind is :one, :opt, :many, :exec or :page. Options are `key: value` pairs after it, or on lines
# of their own that start with `-- key:`; a `--` between pairs is skipped.
#	reply: Shape         the API's shape that is written from the rows
#	noun: Project        with :one: what is "not found" when there is no row ("Resource")
#	role: identity       runs only in such a batch (identity or system)
#	sort: name expression type, …   with :page: the orders; the first is the default, downwards
#	                     when its name is written with a - (-createdAt)
#	id: u.id             with :page: the column that breaks ties, a uuid; `id` if not said
#	counted: inside      with :page: each page by number counts as well (page_total), in the same pass; for filters that
#	                     look at every row anyway, where a second pass would cost as much again
# A comment that a blank line parts from the next statement is the file's own and goes nowhere.
#
# A list (:page) is one SELECT without ORDER BY and LIMIT, whose FROM and WHERE each start a line:
#
#	-- name: projects_list :page  reply: Project
#	-- sort: createdAt created_at timestamptz, name name text
#	SELECT id, slug
#	FROM projects
#	WHERE deleted_at IS NULL AND ($1::text IS NULL OR status = $1);
#
# Its parameters are the filters and all stand in FROM or WHERE; a sort's expression has no blanks
# and is never NULL. From it come the count and, for each sort and direction, the page at an offset
# and the page after a cursor, with page_value and page_id beside each row for the next cursor. What is
# named page_… stands last, is no part of the reply, and is found by its name alone.
#
# When each filter is such a condition on a line of its own, `WHERE ($1::type IS NULL OR …)` or `AND (…)`, the list is made
# a second time without them, for whoever filters by nothing: PostgreSQL plans a statement with optional conditions anew
# each time, which costs more than reading a page, and plans this one once.
#
# A :one that writes or locks (UPDATE, DELETE, SELECT … with a line FOR UPDATE, an INSERT that may insert
# nothing) is wrapped so that it raises ZY404: what stands beside it must not be committed alone.
#
# In SQL, ` -- ` starts a comment even inside quotes.

BEGIN {
	split("one opt many exec page", words, " ")
	for (i in words)
		kinds[words[i]] = "SQL_" toupper(words[i])
	if (mode != "h" && mode != "c" && mode != "all")
		die("mode is h, c or all")
	if (mode == "all")
		print banner("all of sql/queries")
}

FNR == 1 {
	if (name != "")
		die("statement " name " does not end before this file")
	domain = FILENAME
	gsub(/^.*\/|\.sql$/, "", domain)
	if (mode == "h")
		print banner(FILENAME) "#pragma once\n\n#include \"db/sql.h\""
	else
		print (mode == "c" ? banner(FILENAME) : "") "#include \"gen/sql_" domain ".h\""
	comment = ""
}

/^[ \t]*$/ {
	if (name == "")
		comment = ""
	next
}

/^-- name:/ {
	if (name != "")
		die("statement " name " does not end with ;")
	begin_statement()
	next
}

/^[ \t]*--/ {
	if (name != "" && text == "" && $2 ~ /^(reply|noun|role|sort|id|counted):$/)
		read_options(2)
	else if (text == "")
		comment = comment substr($0, index($0, "--") + 2) "\n"
	next
}

{
	if (name == "")
		die("SQL without a -- name: line")
	sub(/[ \t]+--([ \t].*)?$/, "")
	text = text (text == "" ? "" : "\n") $0
	if (/;[ \t]*$/)
		end_statement()
}

END {
	if (failed)
		exit 1
	if (name != "")
		die("statement " name " does not end with ;")
	if (mode == "all")
		printf "\nconst struct sql *const sql_all[] = {\n%s\tNULL,\n};\nconst unsigned sql_all_len = %d;\n", \
			all, statements
}

function die(what)
{
	printf "%s:%d: %s\n", FILENAME, FNR, what > "/dev/stderr"
	failed = 1
	exit 1
}

function banner(source)
{
	return "/* Made by scripts/sqlgen.awk from " source "; edit that. */\n" \
		(mode == "c" ? "#pragma GCC diagnostic ignored \"-Woverlength-strings\"\n" : "")
}

function begin_statement()
{
	name = $3
	kind = substr($4, 2)
	text = ""
	split("", option)
	if (name !~ /^[a-z][a-z0-9_]*$/ || substr($4, 1, 1) != ":" || !(kind in kinds))
		die("expected `-- name: lower_case :one|:opt|:many|:exec|:page`")
	read_options(5)
}

# The `key: value …` pairs of this line from that word on.
function read_options(word, key)
{
	for (; word <= NF; word++) {
		if ($word ~ /^(reply|noun|role|sort|id|counted):$/)
			option[key = substr($word, 1, length($word) - 1)] = ""
		else if ($word != "--" && key == "")
			die("\"" $word "\" is no option; they are reply: noun: role: sort: id: counted:")
		else if ($word != "--")
			option[key] = option[key] (option[key] == "" ? "" : " ") $word
	}
}

function end_statement()
{
	sub(/;[ \t]*$/, "", text)
	if (text ~ /(SELECT|RETURNING|,)[ \t\n]+\*/ || text ~ /[a-z_]\.\*/)
		die(name ": list the columns instead of *")
	if (option["noun"] != "" && kind != "one")
		die(name ": only :one has a noun")
	if (option["role"] !~ /^(|identity|system)$/)
		die(name ": role is identity or system")
	if ((kind == "page") != (option["sort"] != ""))
		die(name ": :page, and nothing else, has a sort")
	if (option["counted"] !~ /^(|inside)$/ || (option["counted"] != "" && kind != "page"))
		die(name ": counted is inside, with :page, or not said")

	if (mode == "h")
		print c_comment()
	if (kind == "page")
		emit_list()
	else
		emit(name, kind, kind == "one" ? guarded(text) : text, option["reply"])
	name = comment = text = ""
}

function c_comment(lines)
{
	lines = comment
	gsub(/\n/, "\n *", lines)
	return comment == "" ? "" : "\n/*\n *" lines "/"
}

function emit(label, kind, sql, reply)
{
	if (label in seen)
		die(label " was named before, in " seen[label])
	seen[label] = FILENAME
	statements++
	all = all "\t&sql_" label ",\n"
	if (mode == "h")
		print "extern const struct sql sql_" label ";"
	if (mode == "c")
		printf "\nconst struct sql sql_%s = {\n\t.name = \"%s\",\n\t.text = %s,\n\t.kind = %s,\n" \
			"\t.params = %d,\n\t.reply = %s,\n\t.noun = %s,\n\t.role = %s,\n};\n", \
			label, label, c_string(sql), kinds[kind], parameters(sql), \
			c_string(reply), c_string(option["noun"]), c_string(option["role"])
}

# See the top of this file. IS DISTINCT FROM NULL, and not IS NOT NULL, tells a row of NULLs from none;
# the whole costs 2 µs.
function guarded(sql, masked, with, main, noun)
{
	masked = mask(sql)
	if (!match(masked, /(^|\n)[ \t]*(SELECT|INSERT|UPDATE|DELETE)[ \t\n]/))
		die(name ": the main SELECT, INSERT, UPDATE or DELETE of a :one starts a line")
	with = substr(sql, 1, RSTART - 1)
	main = substr(sql, RSTART)
	masked = substr(masked, RSTART)
	sub(/^\n/, "", main)
	sub(/^\n/, "", masked)
	if (masked ~ /^[ \t]*SELECT/ && with !~ /(INSERT|UPDATE|DELETE)[ \t\n]/ && \
	    masked !~ /\n[ \t]*FOR (NO KEY UPDATE|KEY SHARE|UPDATE|SHARE)/)
		return sql
	if (masked ~ /^[ \t]*INSERT/ && masked ~ /[ \t\n]VALUES[ \t\n]/ && masked !~ /ON CONFLICT/)
		return sql

	noun = option["noun"] == "" ? "Resource" : option["noun"]
	return (with == "" ? "WITH " : with ",\n") "found AS (\n" main "\n)\n" \
		"SELECT found.*\nFROM (VALUES (1)) AS always LEFT JOIN found ON true\n" \
		"WHERE CASE WHEN found IS DISTINCT FROM NULL THEN true\n" \
		"      ELSE refuse('ZY404', '" noun " not found') END"
}

# A list, and the same for who filters by nothing; see the top of this file.
function emit_list(downwards, every, lines, i, n)
{
	downwards = sub(/^-/, "", option["sort"])
	n = split(text, lines, "\n")
	for (i = 1; i <= n; i++) {
		if (lines[i] ~ /^[ \t]*(WHERE|AND)[ \t]+\(\$[0-9]+::[a-z]+ IS NULL OR / && \
		    mask(lines[i]) ~ /^[ \t]*(WHERE|AND)[ \t]+#+$/)
			sub(/\(.*/, "true", lines[i])
		every = every (i > 1 ? "\n" : "") lines[i]
	}
	if (parameters(text) == 0 || parameters(every) > 0) {
		emit_page(name, text, downwards, "")
		return
	}
	emit_page(name "_unfiltered", every, downwards, "")
	emit_page(name, text, downwards, name "_unfiltered")
}

function emit_page(name, text, downwards, unfiltered, masked, with, list, from, beyond, id, sorts, n, i, s, hidden, bound, rows)
{
	masked = mask(text)
	if (!match(masked, /(^|\n)[ \t]*SELECT[ \t\n]/))
		die(name ": SELECT starts a line")
	with = substr(text, 1, RSTART - 1)
	if (!match(masked, /\n[ \t]*FROM[ \t\n]/))
		die(name ": FROM starts a line")
	list = substr(text, length(with) + 1, RSTART - length(with) - 1)
	from = substr(text, RSTART)
	masked = substr(masked, RSTART)
	if (masked ~ /[ \t\n](ORDER|GROUP|LIMIT|HAVING|UNION)[ \t\n]/ || masked ~ /[^\n \t][ \t]+WHERE[ \t\n]/)
		die(name ": WHERE starts a line, and ends the statement of a list")
	if (parameters(from) != parameters(text))
		die(name ": every parameter of a list is a filter, in FROM or WHERE")

	beyond = from "\nWHERE "
	if (match(masked, /\n[ \t]*WHERE[ \t\n]/))
		beyond = substr(from, 1, RSTART) "WHERE (" substr(from, RSTART + RLENGTH) ")\nAND "
	n = parameters(text)
	id = option["id"] == "" ? "id" : option["id"]
	emit(name "_count", "one", with (with == "" ? "" : "\n") "SELECT count(*) AS \"total\"" from)

	split(option["sort"], sorts, /,[ ]*/)
	for (i = 1; i in sorts; i++) {
		if (split(sorts[i], s, " ") != 3)
			die(name ": a sort is `name expression type`")
		hidden = with list ",\n(" s[2] ")::text AS page_value, " id " AS page_id"
		bound = sprintf("($%d::%s, $%d::uuid)", n + 1, s[3], n + 2)
		emit_direction(name, "asc", s, id, "", ">", hidden, from, beyond, bound, n)
		emit_direction(name, "desc", s, id, " DESC", "<", hidden, from, beyond, bound, n)
		rows = rows sprintf("\t{ \"%s\", &sql_%s_%s_offset_asc, &sql_%s_%s_offset_desc,\n" \
			"\t  &sql_%s_%s_after_asc, &sql_%s_%s_after_desc },\n", \
			s[1], name, s[1], name, s[1], name, s[1], name, s[1])
	}

	if (mode == "h")
		print "extern const struct sql_page sql_" name ";"
	if (mode == "c")
		printf "\nstatic const struct sql_sort %s_sorts[] = {\n%s\t{ 0 },\n};\n\n" \
			"const struct sql_page sql_%s = {\n\t.name = \"%s\",\n\t.count = &sql_%s_count,\n" \
			"\t.sorts = %s_sorts,\n\t.descending = %s,\n\t.counts_itself = %s,\n\t.filters = %d,\n" \
			"\t.reply = %s,\n\t.unfiltered = %s,\n};\n", \
			name, rows, name, name, name, name, downwards ? "true" : "false", \
			option["counted"] == "" ? "false" : "true", n, c_string(option["reply"]), \
			unfiltered == "" ? "NULL" : "&sql_" unfiltered
}

function emit_direction(name, way, s, id, desc, than, hidden, from, beyond, bound, n, order, counted)
{
	order = "\nORDER BY " s[2] desc ", " id desc "\nLIMIT $"
	counted = hidden
	if (option["counted"] != "")
		sub(/,\n\([^\n]*$/, ",\ncount(*) OVER () AS page_total&", counted)
	emit(name "_" s[1] "_offset_" way, "many", counted from order (n + 1) " OFFSET $" (n + 2), option["reply"])
	emit(name "_" s[1] "_after_" way, "many", \
	     hidden beyond "(" s[2] ", " id ") " than " " bound order (n + 3), option["reply"])
}

# The same length, with quoted text and everything in parentheses blotted out.
function mask(sql, blot)
{
	while (match(sql, /'[^']*'/) || match(sql, /\([^()]*\)/)) {
		blot = sprintf("%" RLENGTH "s", "")
		gsub(/ /, "#", blot)
		sql = substr(sql, 1, RSTART - 1) blot substr(sql, RSTART + RLENGTH)
	}
	return sql
}

# The highest n of the $n in it.
function parameters(sql, highest)
{
	for (highest = 0; match(sql, /\$[0-9]+/); sql = substr(sql, RSTART + RLENGTH))
		if (substr(sql, RSTART + 1, RLENGTH - 1) + 0 > highest)
			highest = substr(sql, RSTART + 1, RLENGTH - 1) + 0
	return highest
}

# As C writes it, a line a line; NULL for nothing.
function c_string(s, out, i, c)
{
	for (i = 1; i <= length(s); i++) {
		c = substr(s, i, 1)
		out = out (c == "\n" ? "\\n\"\n\t\t\"" : c == "\\" || c == "\"" ? "\\" c : c)
	}
	return s == "" ? "NULL" : "\"" out "\""
}
