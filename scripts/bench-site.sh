# shellcheck shell=bash
# shellcheck disable=SC2154 # root and dir are set by lib.sh
# A site to measure: PostgreSQL, Redis, nginx and Zygo in a folder of their own, over plain HTTP on loopback, so that TLS (paid once a
# connection) is not what is measured. Sourced by bench and bench-timing, behind lib.sh.
#
#   make_site [SETTING...]   NAME=value lines of zygo.env; starts everything and sets:
#   $plain                   its port;  $api: its address
#   $first_answer            milliseconds from the start of zygo and nginx to the first answer

use_site_dir() {
	"$root/scripts/install-deps"
	use_dir "$(mktemp -d /var/tmp/zygo-bench.XXXXXX)"
	give "$dir"
	trap stop_site EXIT
}
stop_site() {
	local server
	for server in nginx work serve redis postgres; do stop_server $server; done
	rm -rf "$dir"
}

make_site() {
	local before server
	use_site_dir
	"$root/scripts/bootstrap" >"$dir/log/bootstrap.log" 2>&1 || die "Could not make ./configure"
	targets="all ${targets:-}" build build --without-tests
	install_zygo "$root/build/zygo"

	choose_port 9443
	plain=$((ZYGO_PORT + 1))
	until port_is_free $plain; do plain=$((plain + 1)); done
	api=http://127.0.0.1:$plain
	make_certificate
	make_postgres "shared_buffers = 256MB" "synchronous_commit = on"
	make_nginx
	cat >>"$dir/nginx/zygo/drop-ins/site/private.conf" <<-END
		listen 127.0.0.1:$plain;
		keepalive_requests 1000000000;
		location = /bench/200 { access_log off; return 200 '{"status":"ok"}'; }
	END
	# Limits would be what is measured, so they are out of reach here: nginx' and ours.
	find "$dir/nginx/zygo" -name '*.conf' -exec sed -i -E 's/^(\s*)limit_(req|conn) .*/\1# &/' {} +
	make_env development RATE_READ=1000000 RATE_WRITE=1000000 RATE_SEARCH=1000000 RATE_AUTH=1000000 \
		WORKERS_FAST=2 WORKERS_SLOW=2 LOG_LEVEL=warn
	for server in postgres redis; do start_server $server; done
	make_database
	quietly "$dir/log/migrate.log" zygo migrate || exit 1
	ZYGO_SEED_PASSWORD=correct-horse-battery quietly "$dir/log/seed.log" zygo seed || exit 1
	[ $# = 0 ] || printf '%s\n' "$@" >>"$dir/zygo.env" # now: the demonstration account has verified no email
	before=$(date +%s%N)
	run_serve
	run_nginx
	until curl -sf "$api/health" >/dev/null; do sleep 0.005; done
	first_answer=$((($(date +%s%N) - before) / 1000000))
}

sql() { psql -h "$dir/run" -U postgres -d zygo -qAt -v ON_ERROR_STOP=1 "$@"; }
