/** The values that the coordinator writes into join.sh. */
export interface JoinScriptSettings {
  /** Address of the coordinator, without a slash at the end. */
  readonly url: string;
  /** Pin of its public key in base64url, or null. */
  readonly pin: string | null;
}

/** The pin in the format of curl and wget. */
export function curlPin(pin: string): string {
  return `sha256//${Buffer.from(pin, 'base64url').toString('base64')}`;
}

/** The line that enrols a machine. `token` carries the pin if there is one. */
export function joinLine({ url, pin }: JoinScriptSettings, token: string): string {
  const trust = pin === null ? '' : ` -k --pinnedpubkey '${curlPin(pin)}'`;
  return `curl -fsS${trust} ${url}/join.sh | sh -s -- ${token}`;
}

/**
 * The script that this line runs. It needs sh, tar, gzip, uname, mkdir and curl or wget, and contains no secret. After
 * unpacking, the worker itself does all further steps: `alphaflops-worker install`.
 */
export function joinScript({ url, pin }: JoinScriptSettings): string {
  return `#!/bin/sh
# Installs the worker of alphaflops on this machine, enrols it with the coordinator ${url}
# and lets it measure. No root, no Node, no open port: everything is in ~/.local/share/alphaflops.
#
#   sh join.sh TOKEN [OPTIONS]   install and join; again: upgrade in place and keep the credentials
#   sh join.sh --uninstall       remove the worker, its credentials and its service
#
#   --executor NAME    drive devices through NAME; may be repeated (default: the best one that works)
#   --label KEY=VALUE  label of this worker; may be repeated
#   --name NAME        name of this worker (default: the host name)
#   --ca FILE          certificates (PEM) to trust at the coordinator
#   --service          keep it running as a systemd service of this user
#   --once             leave after one batch
#   --for TIME         leave after 90s, 30m, 2h or 7d
#   --until-idle TIME  leave when there was no work for so long
#   --no-run           install and join only
#   --auto-upgrade     follow the coordinator's version
set -eu

url='${url}'
pin='${pin === null ? '' : curlPin(pin)}'

fail() {
  printf 'join.sh: %s\\n' "$1" >&2
  exit 1
}

has() {
  command -v "$1" >/dev/null 2>&1
}

# get PATH FILE: downloads from the coordinator, which the pin identifies.
get() {
  if has curl; then
    curl -fsS \${ca:+--cacert "$ca"} \${pin:+-k --pinnedpubkey "$pin"} -o "$2" "$url$1"
  elif has wget; then
    wget -q \${ca:+"--ca-certificate=$ca"} \${pin:+--no-check-certificate "--pinnedpubkey=$pin"} -O "$2" "$url$1"
  else
    fail 'curl or wget is needed.'
  fi
}

# sha256 FILE: prints nothing if no program can compute it.
sha256() {
  if has sha256sum; then sum=$(sha256sum <"$1")
  elif has shasum; then sum=$(shasum -a 256 <"$1")
  elif has openssl; then sum=$(openssl dgst -sha256 -r <"$1")
  else sum=''
  fi
  printf '%s' "\${sum%% *}"
}

# The whole script is read before anything is done.
main() {
  [ "$#" -gt 0 ] || fail 'say the join token: sh join.sh TOKEN. The coordinator makes one: alphaflops worker token.'
  root=\${XDG_DATA_HOME:-\${HOME:?is not set: it says where to install}/.local/share}/alphaflops
  if [ "$1" = --uninstall ]; then
    [ -x "$root/bin/alphaflops-worker" ] || fail "no worker is installed in $root."
    exec "$root/bin/alphaflops-worker" uninstall
  fi
  case $1 in
    af_join_*) token=$1 ;;
    *) fail 'the first word is the join token, which begins with af_join_.' ;;
  esac
  shift
  ca='' previous=''
  for word in "$@"; do
    case $previous$word in --ca=*) ca=\${word#--ca=} ;; esac
    if [ "$previous" = --ca ]; then ca=$word; fi
    previous=$word
  done

  for tool in tar gzip uname mkdir; do has "$tool" || fail "$tool is needed."; done
  case $(uname -s)-$(uname -m) in
    Linux-x86_64 | Linux-amd64) platform=linux-x64 ;;
    Linux-aarch64 | Linux-arm64) platform=linux-arm64 ;;
    *) fail "there is no worker for $(uname -s) on $(uname -m): Linux on x86-64 or 64-bit ARM is needed." ;;
  esac

  mkdir -p "$root/versions"
  get "/bundles/$platform.tar.gz.sha256" "$root/expected.$$" ||
    fail "cannot get the worker for $platform from $url: is the address right, and does that coordinator have it (npm run build:bundle)?"
  read -r expected name <"$root/expected.$$"
  worker=$root/versions/$expected
  if [ ! -f "$worker/complete" ]; then
    archive=$root/versions/$name
    printf 'Getting the worker for %s from %s\\n' "$platform" "$url"
    get "/bundles/$platform.tar.gz" "$archive" || fail "cannot get $name from $url."
    actual=$(sha256 "$archive")
    [ "\${actual:-$expected}" = "$expected" ] || fail "$archive is damaged: its SHA-256 is $actual, not $expected."
    mkdir -p "$worker"
    gzip -dc "$archive" | tar -xf - -C "$worker" || fail "cannot unpack $archive: is the disk full?"
    "$worker/node" --version >/dev/null || fail 'Node does not run here: it needs Linux with glibc 2.28 or newer.'
    if [ -z "$actual" ]; then
      actual=$("$worker/node" -p 'require("crypto").createHash("sha256").update(require("fs").readFileSync(process.argv[1])).digest("hex")' "$archive")
      [ "$actual" = "$expected" ] || fail "$archive is damaged: its SHA-256 is $actual, not $expected."
    fi
    : >"$worker/complete"
  fi
  # The token is not among the arguments, which other users of this machine can read.
  exec "$worker/alphaflops-worker" install "$url" --token - "$@" <<END
$token
END
}

main "$@"
`;
}
