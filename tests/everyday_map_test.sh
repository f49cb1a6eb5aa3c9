#!/bin/bash
# Every test that docs/everyday.md names is there.
#
#   everyday_map_test.sh SOURCE_FOLDER
set -euo pipefail
cd "$1"
missing=0 named=0
for name in $(sed -n '/^## The situations that this page began with/,$p' docs/everyday.md | grep -o '`[a-z0-9_]*`' | tr -d '`' | sort -u); do
  named=$((named + 1))
  grep -rqE "TEST_CASE\($name\)|zeroshelf(_program)?_test\($name( |$)|NAME $name\$" tests && continue
  echo "docs/everyday.md names $name, which is no test"
  missing=1
done
[ "$named" -ge 20 ] || { echo "docs/everyday.md names $named tests only"; exit 1; }
exit "$missing"
