#!/usr/bin/env bash
# Prints the path of a promtool: PROMTOOL, else one on the PATH, else that of Debian's package prometheus, which is
# unpacked into .cache and not installed, so that nothing is started and no right of root is needed. The package's
# prometheus lies beside it.
set -euo pipefail
cd "$(dirname "$0")/.."

if [[ -n ${PROMTOOL:-} ]]; then
  echo "$PROMTOOL"
  exit
fi
if command -v promtool; then
  exit
fi
folder=$PWD/.cache/prometheus
if [[ ! -x $folder/usr/bin/promtool ]]; then
  for tool in apt-get dpkg-deb; do
    command -v "$tool" >/dev/null || {
      echo "promtool.sh: neither promtool nor $tool is here; install Prometheus, or set PROMTOOL to a promtool's path" >&2
      exit 1
    }
  done
  rm -rf "$folder" && mkdir -p "$folder"
  if ! (cd "$folder" && apt-get download prometheus >&2); then
    echo "promtool.sh: apt-get download prometheus failed: run apt-get update as root and try again, or set PROMTOOL" >&2
    exit 1
  fi
  dpkg-deb -x "$folder"/prometheus_*.deb "$folder"
  rm "$folder"/prometheus_*.deb
fi
echo "$folder/usr/bin/promtool"
