#!/bin/bash
# Runs the lines of a page of docs/ as they stand there, in order: every block that begins with ```sh. What does not succeed ends it, and
# an answer of 400 or more does not. The page is written for scripts/up; DIR is the folder of that, or of scripts/test. Where it sleeps
# until a mail is there, here the queue is looked at.
#
#	tests/e2e/page.sh docs/api.md DIR PORT
set -euo pipefail
page=$(realpath "$1") dir=$(realpath "$2") port=$3

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ln -s "$dir" "$work/.zygo"
cd "$work"
{
	cat <<-'END'
		set -euo pipefail
		curl() { command curl -sS --fail-with-body "$@"; }
		mails() { psql -h .zygo/run -U postgres -d zygo -qAtc "SELECT 1 FROM jobs WHERE queue = 'email'
			AND state IN ('waiting', 'active') AND created_at > now() - interval '1 minute' LIMIT 1"; }
		settle() { while [ -n "$(mails)" ]; do sleep 0.1; done; }
	END
	awk '/^```sh$/ { on = 1; next } /^```$/ { on = 0 } on' "$page" |
		# A code is good once: until the next one there is at most the rest of its half minute.
		sed "s/localhost:8443/localhost:$port/; s/sleep 2;/settle;/; s/^sleep 30/sleep \$((31 - \$(date +%s) % 30))/"
} >lines.sh
bash -x lines.sh
