#!/bin/bash
# As the public image: begins as root, gives the data to mongodb, and runs mongod as that user.
set -euo pipefail
if [[ $1 == -* ]]; then
  set -- mongod "$@"
fi
if [[ $1 == mongod && $(id -u) == 0 ]]; then
  find /data/configdb /data/db \! -user mongodb -exec chown mongodb '{}' +
  exec setpriv --reuid=mongodb --regid=mongodb --clear-groups "$0" "$@"
fi
exec "$@"
