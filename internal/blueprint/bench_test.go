// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package blueprint

import "testing"

// BenchmarkLoadAndCompile is what stands between starting and the first page: reading a folder, judging and compiling it.
func BenchmarkLoadAndCompile(b *testing.B) {
	for b.Loop() {
		Compile(load(b, "complete").Resources, platforms{})
	}
}

// BenchmarkCompile is what each change of a manifest costs.
func BenchmarkCompile(b *testing.B) {
	r := load(b, "complete").Resources
	for b.Loop() {
		Compile(r, platforms{})
	}
}
