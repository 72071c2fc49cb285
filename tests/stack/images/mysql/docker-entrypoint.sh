#!/bin/bash
# As the public image: root hands over to mysql; the first start makes database and account on a server without TCP.
set -euo pipefail
if [[ ${1:-} == -* ]]; then
  set -- mysqld "$@"
fi
if [[ $1 != mysqld ]]; then
  exec "$@"
fi
if [[ $(id -u) == 0 ]]; then
  find /var/lib/mysql /var/run/mysqld \! -user mysql -exec chown --no-dereference mysql '{}' +
  exec setpriv --reuid=mysql --regid=mysql --clear-groups "$0" "$@"
fi
if [[ ! -d /var/lib/mysql/mysql ]]; then
  "$@" --initialize-insecure --default-time-zone=SYSTEM
  "$@" --daemonize --skip-networking --default-time-zone=SYSTEM
  root=${MYSQL_ROOT_PASSWORD:-$(head --bytes=24 /dev/urandom | base64)}
  mysql --user=root <<SQL
CREATE USER 'root'@'%' IDENTIFIED BY '$root';
GRANT ALL ON *.* TO 'root'@'%' WITH GRANT OPTION;
ALTER USER 'root'@'localhost' IDENTIFIED BY '$root';
CREATE DATABASE IF NOT EXISTS \`$MYSQL_DATABASE\`;
CREATE USER '$MYSQL_USER'@'%' IDENTIFIED BY '$MYSQL_PASSWORD';
GRANT ALL ON \`${MYSQL_DATABASE//_/\\_}\`.* TO '$MYSQL_USER'@'%';
SQL
  MYSQL_PWD=$root mysqladmin --user=root shutdown
fi
exec "$@"
