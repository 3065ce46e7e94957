// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Package librarytest reads the conversations under config/library/testdata, on which the ready-made behaviours are
// tried.
// The format's types, its reader and its checks may enter; testdata/README.md describes it for those who write cases.
// It never runs a behaviour: whoever has an engine turns a Case into observations and compares what comes out.
package librarytest
