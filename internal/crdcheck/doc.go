// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Package crdcheck judges one manifest exactly as an API server would: defaulting, OpenAPI, list types and CEL of the
// embedded CustomResourceDefinitions, through the API server's own library.
// What enters are unstructured objects; what leaves are problems with a field path, what is wrong and what to do, and
// unknown fields are among them (a server would drop them, or refuse them when asked to be strict).
// It never looks at a second resource: references and expressions are internal/blueprint's part.
package crdcheck
