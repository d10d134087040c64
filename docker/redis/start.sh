#!/bin/sh
# Redis for alphaflops: append-only file, one user, for coordinators and fitters. DATA overrides the folder.
set -eu
data=${DATA:-/data}
port=${PORT:-6379}
: "${REDIS_PASSWORD:?Set REDIS_PASSWORD: the password of the coordinators.}"

umask 077
digest=$(printf '%s' "$REDIS_PASSWORD" | sha256sum | cut -d ' ' -f 1)
printf 'user default off\nuser alphaflops on #%s ~* &* +@all\n' "$digest" >"$data/users.acl"

exec redis-server --dir "$data" --aclfile "$data/users.acl" --port "$port" --appendonly yes --appendfsync everysec \
  --save '' --maxmemory-policy noeviction
