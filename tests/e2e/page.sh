#!/bin/bash
# Runs the lines of a page of docs/ as they stand there, in order: every block that begins with ```sh. What does not succeed ends it, and
# an answer of 400 or more does not. The page is written for scripts/up; DIR is the folder of that, or of scripts/test. Where it sleeps
# until a mail is there or somebody was told of something, here the queue and the reader of events are looked at.
#
#	tests/e2e/page.sh docs/api.md DIR
set -euo pipefail
page=$(realpath "$1") dir=$(realpath "$2")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ln -s "$dir" "$work/.zygo"
cd "$work"
{
	cat <<-'END'
		set -euo pipefail
		curl() { command curl -sS --fail-with-body "$@"; }
		ask() { psql -h "$PWD/.zygo/run" -U postgres -d zygo -qAtc "$1"; }
		until_none() { # COMMAND: until it prints nothing, for three minutes
			local left tries=1800
			while left=$("$@") || exit; [ -n "$left" ]; do
				[ $((tries -= 1)) -gt 0 ] || { echo "still not: $*"; exit 1; }
				sleep 0.1
			done
		}
		mails() { ask "SELECT 1 FROM jobs WHERE queue = 'email'
			AND state IN ('waiting', 'active') AND created_at > now() - interval '1 minute' LIMIT 1"; }
		settle() { until_none mails; }
		unread() { ask "SELECT 1 FROM events e WHERE e.created_at BETWEEN timestamptz '$1' - interval '10 minutes' AND '$1'
			AND (EXISTS (SELECT FROM event_inbox i WHERE i.tenant_id = e.tenant_id AND i.event_id = e.id)
			OR EXISTS (SELECT FROM event_log l WHERE l.tenant_id = e.tenant_id AND l.event_id = e.id
				   AND l.position > (SELECT position FROM event_readers WHERE name = 'notifications'))) LIMIT 1"; }
		told() { until_none unread "$(ask 'SELECT now()')"; }
	END
	# shellcheck disable=SC2016 # for the page's shell
	awk '/^```sh$/ { on = 1; next } /^```$/ { on = 0 } on' "$page" |
		# A code is good once: until the next one there is at most the rest of its half minute.
		sed 's/sleep 2;/settle;/; s/^sleep 1$/told/; s/^sleep 30/sleep $((31 - $(date +%s) % 30))/'
} >lines.sh
bash -x lines.sh
