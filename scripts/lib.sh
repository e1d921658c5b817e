# shellcheck shell=bash
# Private servers: PostgreSQL, Redis, PgBouncer, nginx and Zygo itself, all in one folder, all on Unix
# sockets but nginx, none of them the machine's own. Sourced by up, down, test, bench and server.
#
# The folder, $dir after use_dir:
#
#   run/       sockets
#   pids/      one file a server: its process id, then its start time
#   log/       one file a server
#   bin/       the zygo that runs
#   mail/      what was sent, as .eml files
#   archive/   tenants that were deleted
#   settings   the port, as a shell variable
#   zygo.env, postgres/, redis/, nginx/, tls/, docs-ui/

set -euo pipefail
umask 022 # what root makes, the servers' user reads; what is secret is made with another
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# -- words ------------------------------------------------------------------------------------------

step() { printf '  %-10s %s\n' "$1" "$2"; }

# die WHAT [WHAT-TO-DO...]
die() {
	local hint
	printf '\n%s: %s\n' "$(basename "$0")" "$1" >&2
	shift
	for hint; do printf '  %s\n' "$hint" >&2; done
	exit 1
}

# quietly LOG COMMAND...: runs it; shows the end of its output when it fails, and fails.
quietly() {
	local log=$1
	shift
	"$@" >"$log" 2>&1 && return 0
	printf '\n%s: this failed: %s\n' "$(basename "$0")" "$*" >&2
	tail -n 15 "$log" | sed 's/^/  | /' >&2
	printf '  The whole of it: %s\n' "$log" >&2
	return 1
}

random_hex() { od -An -v -tx1 -N"$1" /dev/urandom | tr -d ' \n'; }

# Asked how it is used, a script prints its first comment and does nothing.
case ${1:-} in
-h | --help)
	awk 'NR > 1 { if (!/^#/) exit; if (!/shellcheck/) { sub(/^# ?/, ""); print } }' "$0"
	exit
	;;
esac

# -- who runs the servers -----------------------------------------------------------------------------
# Never root, because PostgreSQL refuses to and nobody else needs it: as root the package's user postgres.

server_user=
[ "$(id -u)" != 0 ] || server_user=postgres

as_server() {
	if [ -n "$server_user" ]; then
		setpriv --reuid="$server_user" --regid="$server_user" --init-groups -- "$@"
	else
		"$@"
	fi
}

# give FILE...: to the user that runs the servers.
give() { [ -z "$server_user" ] || chown -R "$server_user:$server_user" "$@"; }

# -- the folder ---------------------------------------------------------------------------------------

# A path that the servers' user can reach, that needs no quotes in URLs and nginx' configuration, and short
# enough for a socket (sun_path holds 107 bytes; the longest of ours is run/.s.PGSQL.5432.lock).
dir_is_usable() {
	[ "${#1}" -le 80 ] && [[ $1 != *[!A-Za-z0-9/._+-]* ]] && as_server test -x "$1" && as_server test -w "$1"
}

# use_dir DIR: makes the folder, private to the servers' user, and sets $dir.
use_dir() {
	dir=$(realpath -m "$1")
	if [ ! -d "$dir/pids" ]; then
		mkdir -p "$dir"/{run,pids,log,bin,redis,tls,nginx}
		chmod 700 "$dir"
		give "$dir"
	fi
	[ -w "$dir/pids" ] || die "The folder $dir belongs to another user" \
		"Run this as that user, or run scripts/down as that user and remove the folder."
	[ -d "$dir/mail" ] || { mkdir "$dir/mail" && give "$dir/mail"; }
	[ -d "$dir/archive" ] || { mkdir "$dir/archive" && give "$dir/archive"; }
	pg_bin=$(find /usr/lib/postgresql/*/bin -maxdepth 0 2>/dev/null | sort -V | tail -n 1)
	PATH=$PATH:/usr/sbin:/sbin:$pg_bin
	# shellcheck source=/dev/null
	[ ! -f "$dir/settings" ] || . "$dir/settings"
}

# -- processes ----------------------------------------------------------------------------------------
# A pid alone may by now belong to someone else; a pid with its start time cannot.

# start_time PID: nothing when it does not live; a zombie, which its parent has yet to bury, does not.
start_time() { sed -n 's/.*) \([^Z]\)/\1/p' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }

# server_pid NAME: prints the process id if that very process still runs.
server_pid() {
	local pid started
	[ -f "$dir/pids/$1.pid" ] || return 1
	{ read -r pid && read -r started; } <"$dir/pids/$1.pid" || return 1
	[ -n "$started" ] && [ "$(start_time "$pid")" = "$started" ] && echo "$pid"
}

is_running() { server_pid "$1" >/dev/null; }

# orphans NAME: prints the processes that a server of ours left when it was killed. They are in its session,
# whose number the kernel gives to nobody else while they live, and in this folder.
orphans() {
	local leader pid
	[ -f "$dir/pids/$1.pid" ] || return 0
	read -r leader <"$dir/pids/$1.pid"
	[ -z "$(start_time "$leader")" ] || return 0
	for pid in $(session_members "$leader"); do
		case $(readlink "/proc/$pid/cwd") in
		"$dir" | "$dir"/*) echo "$pid" ;;
		esac
	done
}
# In /proc/PID/stat, after the name in brackets: state, parent, group, session.
session_members() {
	cat /proc/[0-9]*/stat 2>/dev/null |
		awk -v session="$1" '{ pid = $1; sub(/.*\) /, ""); if ($1 != "Z" && $4 == session) print pid }'
}
has_no_orphans() { [ -z "$(orphans "$1")" ]; }
sweep_orphans() {
	# shellcheck disable=SC2046 # a list of numbers
	has_no_orphans "$1" || kill -KILL $(orphans "$1") 2>/dev/null || true
	wait_for 60 has_no_orphans "$1"
	[ "$1" != postgres ] || is_running postgres || sweep_postgres
}
# PostgreSQL's children are in sessions of their own and end by themselves a moment later; nobody may open the
# data before that. Its lock files then are nobody's, though they may name a zombie, which PostgreSQL takes for
# alive.
sweep_postgres() {
	wait_for 60 nobody_in "$dir/postgres"
	rm -f "$dir/postgres/postmaster.pid" "$dir"/run/.s.PGSQL.5432*
}
nobody_in() { [ -z "$(find /proc/[0-9]*/cwd -maxdepth 0 -lname "$1" 2>/dev/null)" ]; }

# launch NAME COMMAND...: in the background, in a session of its own, its output in log/NAME.log.
launch() {
	local name=$1
	shift
	if [ -n "$server_user" ]; then
		set -- setpriv --reuid="$server_user" --regid="$server_user" --init-groups -- "$@"
	fi
	(cd "$dir" && exec setsid "$@") </dev/null >>"$dir/log/$name.log" 2>&1 &
	disown
	printf '%s\n%s\n' "$!" "$(start_time $!)" >"$dir/pids/$name.pid"
}

# wait_for SECONDS COMMAND...: until it succeeds; false when it never does.
wait_for() {
	local tries=$(($1 * 20))
	shift
	while ! "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		sleep 0.05
	done
}

# -- the servers: how each is run, when it is ready, which signal ends it -------------------------------

run_postgres() { launch postgres "$pg_bin/postgres" -D "$dir/postgres" -k "$dir/run" -c listen_addresses=; }
ready_postgres() { psql -h "$dir/run" -U postgres -d postgres -qAtc 'SELECT 1'; }

run_redis() {
	launch redis redis-server --port 0 --unixsocket "$dir/run/redis.sock" --unixsocketperm 700 \
		--dir "$dir/redis" --save '' --appendonly no --daemonize no
}
ready_redis() { [ "$(redis-cli -s "$dir/run/redis.sock" ping)" = PONG ]; }

run_pgbouncer() { launch pgbouncer pgbouncer "$dir/pgbouncer.ini"; }
ready_pgbouncer() { pg_isready -h "$dir/run" -p 6432; }

run_serve() {
	[ -z "$(zygo_sockets_listened)" ] || die "Another process serves the sockets in $dir/run"
	launch serve env "ZYGO_ENV_FILE=$dir/zygo.env" "$dir/bin/zygo" serve
}
ready_serve() { [ -n "$(zygo_sockets_listened)" ]; }
# A socket file outlives its process; the kernel's list does not.
zygo_sockets_listened() { awk -v path="$dir/run/fast.sock" '$NF == path && $4 == "00010000"' /proc/net/unix; }

run_work() { launch work env "ZYGO_ENV_FILE=$dir/zygo.env" "$dir/bin/zygo" work; }
ready_work() { # its workers are seen
	[ -n "$(psql -h "$dir/run" -U postgres -d zygo -qAtc \
		"SELECT 1 FROM job_workers WHERE seen_at > now() - interval '5 seconds' LIMIT 1")" ]
}

run_realtime() { launch realtime env "ZYGO_ENV_FILE=$dir/zygo.env" "$dir/bin/zygo" realtime; }
ready_realtime() { curl -sf --unix-socket "$dir/run/realtime.sock" http://localhost/health; }

run_nginx() {
	launch nginx nginx -e stderr -p "$dir/nginx" -c "$dir/nginx/nginx.conf" -g 'daemon off;'
}
ready_nginx() { curl -s -o /dev/null --cacert "$dir/tls/ca.pem" "https://localhost:$ZYGO_PORT/_"; }

signal_of() {
	case $1 in
	postgres | pgbouncer) echo INT ;; # fast shutdown; safe shutdown
	nginx) echo QUIT ;;
	*) echo TERM ;;
	esac
}

server_died() { ! is_running "$1"; }
ready_or_dead() { server_died "$1" || "ready_$1"; }

# start_server NAME: unless it runs already; returns when it answers.
start_server() {
	is_running "$1" && return 0
	sweep_orphans "$1"
	"run_$1"
	wait_for 120 ready_or_dead "$1" || true
	if server_died "$1" || ! "ready_$1" >/dev/null 2>&1; then
		tail -n 10 "$dir/log/$1.log" | sed 's/^/  | /' >&2
		die "$1 did not start" "Its log: $dir/log/$1.log"
	fi
}

# stop_server NAME: politely, and after 30 s by force.
stop_server() {
	local pid
	if pid=$(server_pid "$1"); then
		kill "-$(signal_of "$1")" "$pid"
		wait_for 30 server_died "$1" || kill_server "$1"
	fi
	sweep_orphans "$1"
	rm -f "$dir/pids/$1.pid"
}

# kill_server NAME: as a crash of all its processes would.
kill_server() {
	local pid
	pid=$(server_pid "$1") || return 0
	kill -KILL "$pid"
	wait_for 60 server_died "$1"
	sweep_orphans "$1"
	rm -f "$dir/pids/$1.pid"
}

# -- their data and configuration -----------------------------------------------------------------------

# make_postgres [SETTING...]: a cluster that only this folder's sockets reach; settings as "name = value".
# Whoever may enter the folder may connect, and only its owner may.
make_postgres() {
	[ ! -f "$dir/postgres/PG_VERSION" ] || return 0
	quietly "$dir/log/initdb.log" as_server "$pg_bin/initdb" -D "$dir/postgres" -U postgres \
		--auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-instructions || exit 1
	printf '%s\n' "max_connections = 200" "log_min_duration_statement = 1s" "$@" \
		>>"$dir/postgres/postgresql.conf"
}

# make_certificate: an authority of our own and a certificate for localhost by it, until a month before its
# end. The authority's key is not kept: nobody needs to sign with it again.
make_certificate() {
	openssl x509 -checkend 2592000 -noout -in "$dir/tls/cert.pem" >/dev/null 2>&1 && return 0
	quietly "$dir/log/certificate.log" sign_certificate "$dir/tls" || exit 1
	give "$dir/tls"
}

sign_certificate() (
	umask 077
	cd "$1" || exit 1
	printf 'subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1\nextendedKeyUsage=serverAuth\n' >extensions
	openssl ecparam -name prime256v1 -genkey -noout -out ca.key &&
		openssl ecparam -name prime256v1 -genkey -noout -out key.pem &&
		openssl req -x509 -new -key ca.key -sha256 -days 825 -subj '/CN=Zygo local authority' \
			-addext 'keyUsage=critical,keyCertSign' -out ca.pem &&
		openssl req -new -key key.pem -subj '/CN=localhost' -out request.pem &&
		openssl x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -sha256 -days 397 \
			-extfile extensions -out cert.pem &&
		rm -f ca.key ca.srl request.pem extensions
)

# make_nginx: the repository's site with this folder's addresses, on port $ZYGO_PORT of this host alone.
make_nginx() {
	rm -rf "$dir/nginx/zygo"
	cp -R "$root/nginx" "$dir/nginx/zygo"
	local drop_ins=$dir/nginx/zygo/drop-ins
	rm "$drop_ins/site/default.conf" "$drop_ins/http/redirect.conf"
	cat >"$drop_ins/site/private.conf" <<-END
		listen 127.0.0.1:$ZYGO_PORT ssl http2;
		listen [::1]:$ZYGO_PORT ssl http2;
		server_name localhost;
		ssl_certificate $dir/tls/cert.pem;
		ssl_certificate_key $dir/tls/key.pem;
		access_log $dir/log/access.log zygo buffer=64k flush=1s;
	END
	grep -qs '^0*1 ' /proc/net/if_inet6 || sed -i '/::1/d' "$drop_ins/site/private.conf"
	sed "s,/run/zygo/,$dir/run/," "$root/nginx/drop-ins/upstream/default.conf" >"$drop_ins/upstream/default.conf"
	sed -i "s,/usr/local/share/zygo/docs-ui,${ZYGO_DOCS_UI:-$dir/docs-ui}," "$drop_ins/server/docs-ui.conf"
	mkdir -p "$dir/example"
	cp "$root"/etc/example/* "$dir/example"
	sed "s,/usr/local/share/zygo/etc/example,$dir/example," "$root/nginx/drop-ins/server/example.conf.example" \
		>"$drop_ins/server/example.conf"
	cat >"$dir/nginx/nginx.conf" <<-END
		worker_processes auto;
		worker_rlimit_nofile 8192;
		pid $dir/run/nginx.pid;
		error_log stderr;
		events {
			worker_connections 2048;
		}
		http {
			client_body_temp_path $dir/nginx/body;
			fastcgi_temp_path $dir/nginx/fastcgi;
			proxy_temp_path $dir/nginx/proxy;
			uwsgi_temp_path $dir/nginx/uwsgi;
			scgi_temp_path $dir/nginx/scgi;
			include zygo/zygo.conf;
		}
	END
	give "$dir/nginx" "$dir/example"
}

# port_is_free PORT: nobody on this machine listens there.
port_is_free() {
	! { cat /proc/net/tcp /proc/net/tcp6 2>/dev/null || true; } |
		awk -v port="$(printf ':%04X' "$1")" '$4 == "0A" && substr($2, length($2) - 4) == port { found = 1 }
			END { exit !found }'
}

# choose_port WANTED: sets ZYGO_PORT to it or the next free one, and remembers it for this folder.
choose_port() {
	ZYGO_PORT=$1
	until port_is_free "$ZYGO_PORT"; do
		ZYGO_PORT=$((ZYGO_PORT + 1))
		[ "$ZYGO_PORT" -lt 65536 ] || die "No port is free from $1 on"
	done
	printf 'ZYGO_PORT=%s\n' "$ZYGO_PORT" >"$dir/settings"
}

# make_env APP_ENV [LINE...]: zygo.env with secrets of its own, once; later only its addresses are kept right.
make_env() {
	local app_env=$1 url=https://localhost:$ZYGO_PORT
	shift
	if [ ! -f "$dir/zygo.env" ]; then
		(
			umask 077
			cat >"$dir/zygo.env" <<-END
				APP_ENV=$app_env
				APP_URL=$url
				API_URL=$url
				DATABASE_URL=postgresql://zygo_app@/zygo?host=$dir/run
				DATABASE_MIGRATE_URL=postgresql://zygo_owner@/zygo?host=$dir/run
				REDIS_URL=unix://$dir/run/redis.sock
				SOCKET_FAST=$dir/run/fast.sock
				SOCKET_SLOW=$dir/run/slow.sock
				JWT_SECRET=$(random_hex 32)
				ENCRYPTION_KEY=$(random_hex 32)
			END
			printf '%s\n' "$@" >>"$dir/zygo.env"
		)
		give "$dir/zygo.env"
	fi
	sed -i -E "s,^(APP_URL|API_URL)=.*,\\1=$url," "$dir/zygo.env"
	grep -q '^SOCKET_REALTIME=' "$dir/zygo.env" || echo "SOCKET_REALTIME=$dir/run/realtime.sock" >>"$dir/zygo.env"
	grep -q '^MAIL_DIR=' "$dir/zygo.env" || echo "MAIL_DIR=$dir/mail" >>"$dir/zygo.env"
	grep -q '^ARCHIVE_URL=' "$dir/zygo.env" || echo "ARCHIVE_URL=file://$dir/archive" >>"$dir/zygo.env"
}

# zygo ARGUMENT...: this folder's program, with this folder's configuration, as the servers' user.
zygo() { as_server env "ZYGO_ENV_FILE=$dir/zygo.env" "$dir/bin/zygo" "$@"; }

# make_database: the roles and an empty database of the owner's; both once.
make_database() {
	local psql=(psql -h "$dir/run" -U postgres -v ON_ERROR_STOP=1 -q)
	quietly "$dir/log/roles.log" "${psql[@]}" -d postgres -f "$root/sql/roles.sql" || exit 1
	[ -n "$("${psql[@]}" -d postgres -Atc "SELECT 1 FROM pg_database WHERE datname = 'zygo'")" ] ||
		quietly "$dir/log/roles.log" "${psql[@]}" -d postgres -c 'CREATE DATABASE zygo OWNER zygo_owner' || exit 1
}

# build FOLDER CONFIGURE-ARGUMENT...: configures once, then makes; $targets are made, or all. The checkout is
# named as .., because automake refuses one whose path has a blank.
build() {
	local folder=$1
	shift
	mkdir -p "$root/$folder"
	[ -f "$root/$folder/Makefile" ] ||
		(cd "$root/$folder" && quietly configure.log ../configure "$@") ||
		die "Could not configure $folder" "What is missing? Run scripts/install-deps; then run this again."
	local target
	# One after another: two makes at once would both make the library.
	for target in ${targets:-all}; do
		quietly "$root/$folder/make.log" make -C "$root/$folder" -j "$(nproc)" "$target" ||
			die "Could not build $folder" "Mend what the lines above say, then run this again."
	done
}

# install_zygo FILE: becomes the program that this folder runs. Replaced, not written to: it may be running.
install_zygo() {
	install -m 755 "$1" "$dir/bin/zygo.new"
	mv "$dir/bin/zygo.new" "$dir/bin/zygo"
}

# make_pgbouncer: transaction pooling in front of this folder's PostgreSQL.
make_pgbouncer() {
	echo '"zygo_app" ""' >"$dir/pgbouncer.users"
	cat >"$dir/pgbouncer.ini" <<-END
		[databases]
		zygo = host=$dir/run dbname=zygo
		[pgbouncer]
		pool_mode = transaction
		unix_socket_dir = $dir/run
		listen_port = 6432
		auth_type = trust
		auth_file = $dir/pgbouncer.users
		ignore_startup_parameters = extra_float_digits
	END
	give "$dir/pgbouncer.users" "$dir/pgbouncer.ini"
}
