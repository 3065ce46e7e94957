// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/hub"
)

// BuildVersion is the version that the linker set, else what the build itself knows, else "dev".
func BuildVersion(linked string) string {
	if linked != "" {
		return linked
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "dev"
}

// Version tells which kith this is.
func Version(std Stdio, linked, output string) error {
	if err := checkOutput(output, OutputText, OutputJSON); err != nil {
		return err
	}
	v := struct {
		Version    string `json:"version"`
		Engine     string `json:"engine"`
		APIVersion string `json:"apiVersion"`
		Go         string `json:"go"`
		Platform   string `json:"platform"`
		Revision   string `json:"revision,omitempty"`
	}{
		Version: BuildVersion(linked), Engine: hub.EngineVersion, APIVersion: v1alpha1.GroupVersion.String(),
		Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, Revision: revision(),
	}
	if output == OutputJSON {
		e := json.NewEncoder(std.Out)
		e.SetIndent("", "  ")
		return e.Encode(v)
	}
	_, err := fmt.Fprintf(std.Out, "kith %s (%s, %s, engine %s, %s)\n", v.Version, v.APIVersion, v.Go, v.Engine, v.Platform)
	return err
}

// revision is the commit that was built, where the build knows it.
func revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return ""
}
