# Read by every step. Inputs arrive as INPUT_… variables, and the database in a file that the step "database" writes: variables
# of the whole job would stay when the action has ended, and meet its next use.
set -euo pipefail
steps="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
work="${RUNNER_TEMP:+$RUNNER_TEMP/graphmigrate}"
work="${work:-${TMPDIR:-/tmp}/graphmigrate-ci-$(id -u)}"
mkdir -p -m 700 "$work"
[ -O "$work" ] || { echo "$work belongs to another user. Name a folder of yours in RUNNER_TEMP." >&2; exit 2; }
connection="$work/connection"
if [ -f "$connection" ]; then . "$connection"; fi
# where findings are shown at their lines
findings="${GITHUB_ACTIONS:+--output github}"

# has_seeds: whether the project has any, or one that cannot be read; leaves what "seed list" says in $listed
has_seeds() {
  listed="$(graphmigrate seed list --offline --output json 2>/dev/null || true)"
  case "$listed" in
    *'"seeds": []'* | *'There is no folder'*) return 1 ;;
  esac
}
