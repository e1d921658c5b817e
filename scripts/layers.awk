# Who may include whom (docs/design.md): a folder of src/ includes only folders of lower rank and its own, a
# library's header appears in one folder only, a service knows no HTTP and an API file no SQL. (src/http/system_api.c asks PostgreSQL whether it lives, and is no domain's.)
#
#	awk -f scripts/layers.awk $(find src -name '*.[ch]')

BEGIN {
	rank["base"] = 0
	rank["crypto"] = rank["db"] = rank["cache"] = rank["net"] = 1
	rank["prefork"] = 2
	rank["http"] = 3
	rank["events"] = 3.5 # jobs tell what is live (events/room.h)
	rank["jobs"] = 4
	rank["identity"] = 5
	rank["realtime"] = 5.5 # who connects is proven there
	rank["domains"] = 6
	rank["commands"] = 7
	rank["main.c"] = 8
	rank["gen"] = 0 # statements, data alone: made from sql/ for whoever runs them

	home["^libpq"] = "db"
	home["^hiredis"] = "cache"
	home["^(openssl/|sodium|jwt|liboath/|cbor)"] = "crypto"
	home["^qrencode"] = "identity"
	home["^json-c/"] = "base"
	home["^fcgi"] = "http"
	home["^zlib"] = "domains"
	home["^curl/"] = "net"
	home["^libwebsockets"] = "realtime"
}

/^#include ["<]/ {
	split(FILENAME, path, "/")
	folder = path[2]
	header = $2
	gsub(/["<>]/, "", header)

	for (library in home)
		if (header ~ library && folder != home[library])
			refuse("belongs to src/" home[library] "/ alone")
	if ($2 ~ /^</)
		next

	split(header, part, "/")
	if (!(part[1] in rank))
		refuse("is in no room that scripts/layers.awk knows")
	else if (part[1] != folder && rank[part[1]] >= rank[folder])
		refuse("is not below src/" folder)
	if (FILENAME ~ /_service\.c$/ && part[1] == "http")
		refuse("is HTTP, which a service knows nothing of")
	if (FILENAME ~ /_api\.c$/ && folder != "http" && (part[1] == "db" || part[1] == "gen"))
		refuse("is SQL, which an API file knows nothing of")
}

function refuse(why)
{
	printf "%s:%d: %s %s\n", FILENAME, FNR, header, why
	bad = 1
}

END {
	exit bad
}
