// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import "github.com/kith-dev/kith/connectors/sdk"

func httpOptions(std Stdio, version string) sdk.HTTPOptions {
	return sdk.HTTPOptions{Version: version, Log: std.Log.WithName("http")}
}
