#!/usr/bin/env bash
# Builds the container image and writes it to a file that `docker load`, `ctr images import` and hack/cluster take:
#
#   hack/image/build.sh IMAGE VERSION FILE
#
# With a Docker engine from the Dockerfile; else with buildah, which needs no service, from a binary built here.
set -euo pipefail
cd "$(dirname "$0")/../.."
image=$1 version=$2 file=$3
mkdir -p "$(dirname "$file")"

if docker info >/dev/null 2>&1; then
  docker build --build-arg VERSION="$version" -t "$image" .
  docker save -o "$file" "$image"
elif command -v buildah >/dev/null; then
  make build VERSION="$version"
  # Everything buildah keeps is thrown away, so that nothing of the machine's own images is touched.
  scratch=$(mktemp -d)
  trap 'chmod -R u+rwX "$scratch"; rm -rf "$scratch"' EXIT
  mkdir "$scratch/context"
  ln bin/kith "$scratch/context/kith" 2>/dev/null || cp bin/kith "$scratch/context/kith"
  buildah() { command buildah --root "$scratch/root" --runroot "$scratch/run" --storage-driver vfs "$@"; }
  buildah bud --quiet --isolation chroot --timestamp 0 -t "$image" -f hack/image/Dockerfile "$scratch/context" >/dev/null
  rm -f "$file" # buildah adds to an archive that is there
  buildah push --quiet "$image" "oci-archive:$file:$image"
else
  echo "image: neither a Docker engine nor buildah is here; on Debian: apt-get install --no-install-recommends buildah" >&2
  exit 1
fi

megabytes() { awk -v n="$1" 'BEGIN { printf "%.1f MiB", n / 1048576 }'; }
echo "$file: $image, $(megabytes "$(stat -c %s "$file")") compressed"
