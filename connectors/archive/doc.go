// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Package archive reads topics that were exported from Discourse, one JSON file each as /t/{id}.json answers, and its
// categories.json or site.json, from a folder, a zip or a tar file: for history, migrations, trying without credentials.
// Bounded reading of files and the position in their listing may live here; what a topic means is discoursejson's, so
// that the same topic gives the same observations as over HTTP.
// It never writes beside an unnamed temporary file, never follows a path out of the archive, and never calls anybody.
package archive
