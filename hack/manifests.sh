#!/usr/bin/env bash
# Renders an install of config/ with the image and the namespace that the caller wants, without touching the folder:
#
#   hack/manifests.sh FOLDER FILE IMAGE [NAMESPACE]
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$1 file=$(realpath -m "$2") image=$3 namespace=${4:-}

tools=$PWD/hack/tools/go.mod
overlay=$(mktemp -d "$PWD/config/.overlay-XXXXXX")
trap 'rm -rf "$overlay"' EXIT
cd "$overlay"
kustomize() { go tool -modfile="$tools" kustomize "$@"; }

kustomize create --resources "../$folder"
kustomize edit set image "kith-dev/kith=$image"
kustomize edit add transformer ../operator/image
if [ -n "$namespace" ]; then kustomize edit set namespace "$namespace"; fi
kustomize build . -o "$file"
