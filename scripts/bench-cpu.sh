# shellcheck shell=bash
# What servers have used, for benches that compare programs. Sourced behind lib.sh.

# cpu_us NAME...: of servers and all their processes, those that are gone too, in microseconds.
cpu_us() {
	local name pid ticks=0
	for name; do
		pid=$(server_pid "$name")
		ticks=$((ticks + $({
			awk '{ sub(/.*\) /, ""); print $12 + $13 + $14 + $15 }' "/proc/$pid/stat"
			for stat in /proc/[0-9]*/stat; do awk -v parent="$pid" '{ sub(/.*\) /, ""); if ($2 == parent) print $12 + $13 }' "$stat" 2>/dev/null || true; done
		} | awk '{ sum += $1 } END { print sum }')))
	done
	echo $((ticks * 1000000 / $(getconf CLK_TCK)))
}

# value NAME LINE: of a line of name=value.
value() { sed -nE "s/.*\b$1=([0-9.]+).*/\1/p" <<<"$2"; }
