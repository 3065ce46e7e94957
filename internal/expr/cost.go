// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package expr

import (
	"strings"

	"github.com/google/cel-go/checker"
	"github.com/google/cel-go/common/types"

	"github.com/kith-dev/kith/api/event"
)

// sizes tells CEL's cost estimate how large inputs can be: the bounds of intake.
type sizes struct{}

// EstimateSize bounds a value by what it is.
func (sizes) EstimateSize(node checker.AstNode) *checker.SizeEstimate {
	largest := uint64(event.MaxName)
	switch path := strings.Join(node.Path(), "."); {
	case path == "event.text":
		largest = event.MaxText
	case path == "thread.tags":
		largest = event.MaxTags
	case strings.HasSuffix(path, ".id"):
		largest = 64
	case node.Type().Kind() == types.ListKind:
		largest = 200
	case node.Type().Kind() == types.StringKind && path == "":
		// Made by the expression itself, at most by joining everything there is.
		largest = 2 * event.MaxText
	}
	return &checker.SizeEstimate{Min: 0, Max: largest}
}

// EstimateCallCost leaves the cost of functions to CEL.
func (sizes) EstimateCallCost(string, string, *checker.AstNode, []checker.AstNode) *checker.CallEstimate {
	return nil
}
