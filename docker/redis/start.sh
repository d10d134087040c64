#!/bin/sh
# Redis for alphaflops: append-only file, one user for the coordinators, none by default; they add a user per worker.
# TLS on the same port when /tls has cert.pem and key.pem. DATA and TLS name other folders.
set -eu
data=${DATA:-/data}
tls=${TLS:-/tls}
port=${PORT:-6379}
: "${REDIS_PASSWORD:?Set REDIS_PASSWORD: the password of the coordinators.}"

umask 077
digest=$(printf '%s' "$REDIS_PASSWORD" | sha256sum | cut -d ' ' -f 1)
printf 'user default off\nuser alphaflops on #%s ~* &* +@all\n' "$digest" >"$data/users.acl"

set -- --dir "$data" --aclfile "$data/users.acl" --appendonly yes --appendfsync everysec --save '' \
  --maxmemory-policy noeviction
if [ -f "$tls/cert.pem" ]; then
  # Workers show a password, not a certificate.
  set -- "$@" --port 0 --tls-port "$port" --tls-cert-file "$tls/cert.pem" --tls-key-file "$tls/key.pem" \
    --tls-auth-clients no
else
  set -- "$@" --port "$port"
fi
exec redis-server "$@"
