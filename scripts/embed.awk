# Makes the C of src/db/migrate.h's data: migrations[] and roles_sql. Needs any POSIX awk.
#
#	awk -f scripts/embed.awk sql/roles.sql sql/migrations/*.sql > gen/migrations.c
#
# roles.sql becomes roles_sql; every other file a migration, in the order of the arguments, which
# must be that of their numbers: 0001_foundation.sql, 0002_…. No number is there twice; one that is
# left out may have been given to work which has not landed, and then runs when it does.

BEGIN {
	print "/* Made by scripts/embed.awk from sql/roles.sql and sql/migrations; edit those. */"
	print "#pragma GCC diagnostic ignored \"-Woverlength-strings\""
	print "#include \"db/migrate.h\""
}

FNR == 1 {
	end_file()
	name = FILENAME
	gsub(/^.*\/|\.sql$/, "", name)
	if (name == "roles")
		print "\nconst char roles_sql[] ="
	else
		begin_migration()
}

{
	print "\t\"" escaped($0) "\\n\""
}

END {
	if (failed)
		exit 1
	end_file()
	printf "\nconst struct migration migrations[] = {\n%s\t{ 0 },\n};\n", rows
}

function end_file()
{
	if (name != "")
		print "\t\"\";"
}

function begin_migration()
{
	if (name !~ /^[0-9][0-9][0-9][0-9]_[a-z0-9_]+$/ || substr(name, 1, 4) + 0 <= number) {
		printf "%s: expected a migration behind number %d, as NNNN_lower_case.sql\n", FILENAME, number > "/dev/stderr"
		failed = 1
		exit 1
	}
	number = substr(name, 1, 4) + 0
	rows = rows "\t{ \"" name "\", text_" substr(name, 1, 4) " },\n"
	print "\nstatic const char text_" substr(name, 1, 4) "[] ="
}

# As it stands between quotes in C.
function escaped(line, out, i, c)
{
	for (i = 1; i <= length(line); i++) {
		c = substr(line, i, 1)
		out = out (c == "\\" || c == "\"" ? "\\" c : c)
	}
	return out
}
