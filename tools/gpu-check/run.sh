#!/bin/sh
# Runs the checks with the Node in the same folder: run.sh [--out FOLDER] [--limit-s SECONDS]
here=$(dirname "$0")
exec "$here/node" "$here/gpu-check.mjs" "$@"
