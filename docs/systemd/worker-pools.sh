#!/bin/sh
# The command line as the service's user, with the service's environment. Put it into /usr/local/bin/worker-pools (0755).
exec sudo -u worker-pools -H sh -c '
  set -a
  . /etc/worker-pools/worker-pools.env
  STATE_DIRECTORY=/var/lib/worker-pools
  cd /opt/worker-pools && exec node automation/worker-pools.js "$@"
' worker-pools "$@"
