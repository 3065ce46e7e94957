// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"errors"
	"testing"

	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"
)

func TestLeaseThatIsGivenBackIsNoError(t *testing.T) {
	const stopping = "error received after stop sequence was engaged"
	for name, tc := range map[string]struct {
		err     error
		message string
		want    string
	}{
		"the lease": {errors.New("leader election lost"), stopping, `"level"=0 "msg"="The lease is given back" "of"="it"`},
		"another error at the end": {errors.New("no disk"), stopping,
			`"msg"="error received after stop sequence was engaged" "error"="no disk" "of"="it"`},
		"a lease that is lost while it runs": {errors.New("leader election lost"), "ended",
			`"msg"="ended" "error"="leader election lost" "of"="it"`},
		"no error": {nil, stopping, `"msg"="error received after stop sequence was engaged" "error"=null "of"="it"`},
	} {
		t.Run(name, func(t *testing.T) {
			var said []string
			log := orderly(funcr.New(func(prefix, args string) { said = append(said, prefix+": "+args) }, funcr.Options{}))
			log.WithName("manager").WithValues("of", "it").Error(tc.err, tc.message)
			if diff := cmp.Diff([]string{"manager: " + tc.want}, said); diff != "" {
				t.Error(diff)
			}
		})
	}
}
