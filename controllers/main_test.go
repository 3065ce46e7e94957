// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"os"
	"testing"

	"github.com/kith-dev/kith/internal/testing/envtest"
)

func TestMain(m *testing.M) { os.Exit(envtest.Run(m)) }
