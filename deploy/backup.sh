#!/usr/bin/env bash
# Backs up the database, the audit log and the keys as of one moment, beside running servers (docs/backup.md):
#
#   WARDLINE_DATA=/var/lib/wardline PGHOST=… PGUSER=… PGDATABASE=wardline \
#   STOP_SEQUENCER='systemctl stop wardline-sequencer' START_SEQUENCER='systemctl start wardline-sequencer' \
#   deploy/backup.sh /backup/2026-11-22
#
# The log and the database have to be of one moment: a log that is ahead of its database, or behind it, is refused when both are
# put back. So the sequencer stands still while the log is copied and a snapshot of the database is taken, for a second or so;
# servers serve on, and their events wait in the database. The dump is then made of that snapshot, for as long as it takes.
set -euo pipefail

target=${1:?give a folder to back up into}
data=${WARDLINE_DATA:?the folder of the installation}
audit=${WARDLINE_AUDIT_DIR:-$data/audit-log}
keys=${WARDLINE_KEYS_DIR:-$data/keys}
: "${STOP_SEQUENCER:?the command that stops the sequencer}" "${START_SEQUENCER:?the command that starts it again}"

mkdir -m 700 "$target"
coproc SNAPSHOT { psql --quiet --no-align --tuples-only --set=ON_ERROR_STOP=1; }
# shellcheck disable=SC2154 # coproc sets it
snapshot_pid=$SNAPSHOT_PID

eval "$STOP_SEQUENCER"
trap 'eval "$START_SEQUENCER"' EXIT
echo 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT pg_export_snapshot();' >&"${SNAPSHOT[1]}"
read -r -t 30 snapshot <&"${SNAPSHOT[0]}"
cp -a "$audit" "$target/audit-log"
cp -a "$keys" "$target/keys"
trap - EXIT
eval "$START_SEQUENCER"

pg_dump --format=custom --snapshot="$snapshot" --file="$target/wardline.dump"
echo 'COMMIT; \q' >&"${SNAPSHOT[1]}"
wait "$snapshot_pid" || true
echo "backed up into $target"
