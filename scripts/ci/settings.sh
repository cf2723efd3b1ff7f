# Read by every step. Inputs arrive as INPUT_… variables; what a step tells the later ones goes into the files that GitHub
# names (GITHUB_ENV, GITHUB_PATH, GITHUB_OUTPUT), or that scripts/ci/all makes elsewhere.
set -euo pipefail
steps="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
work="${RUNNER_TEMP:-${TMPDIR:-/tmp}/graphmigrate-ci-$(id -u)}/graphmigrate"
mkdir -p "$work"

# tell NAME VALUE: set an environment variable of the later steps
tell() {
  case "$2" in *$'\n'*) echo "The value of $1 has several lines." >&2; exit 2 ;; esac
  printf '%s=%s\n' "$1" "$2" >>"${GITHUB_ENV:-/dev/null}"
}

# secret VALUE: let GitHub replace it in every log
secret() { [ -z "${GITHUB_ACTIONS:-}" ] || printf '::add-mask::%s\n' "$1"; }
