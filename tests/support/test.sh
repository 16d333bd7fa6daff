# Sourced by tests: . "${srcdir:=.}/tests/support/test.sh".  $t is a directory that is gone with the test; bad TEXT
# tells of a failure, and $rc is what to exit with.
rc=0
t=$(mktemp -d) || exit 1
trap 'rm -rf "$t"' EXIT
trap 'exit 1' HUP INT TERM
bad() { echo "FAIL: $*"; rc=1; }
