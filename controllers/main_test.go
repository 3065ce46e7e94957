// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/kith-dev/kith/internal/testing/envtest"
	"github.com/kith-dev/kith/internal/testing/kstatus"
)

// TestMain runs the tests, and holds all of them together to what no one of them can: each reason that a condition can
// have was reached on a real API server.
func TestMain(m *testing.M) {
	flag.Parse()
	ctrl.SetLogger(logr.Discard())
	code := envtest.Run(m)
	if only := flag.Lookup("test.run").Value.String() + flag.Lookup("test.skip").Value.String(); code == 0 && only == "" && !testing.Short() {
		code = everyReason()
	}
	os.Exit(code)
}

func everyReason() int {
	source, err := os.ReadFile("../api/v1alpha1/conditions.go")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	reached, code := kstatus.Reached(), 0
	for _, found := range regexp.MustCompile(`Reason\w+\s+= "(\w+)"`).FindAllStringSubmatch(string(source), -1) {
		if !slices.Contains(reached, found[1]) {
			fmt.Fprintf(os.Stderr, "no test here has a resource reach the reason %s\n", found[1])
			code = 1
		}
	}
	return code
}
