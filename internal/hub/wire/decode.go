// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	kjson "sigs.k8s.io/json"
)

// maxNamed bounds how much of a misspelt field an error repeats.
const maxNamed = 200

// Decode reads one JSON document, strictly: an unknown, repeated or differently capitalised field is an error that
// names its place. Errors hold no value of the document, for it may be somebody's.
func Decode(doc []byte, into any) error {
	if len(bytes.TrimSpace(doc)) == 0 {
		return errors.New("the body is empty: a JSON document is expected")
	}
	strict, err := kjson.UnmarshalStrict(doc, into)
	if err != nil {
		return describe(err)
	}
	if len(strict) > 0 {
		first := strict[0].Error()
		if len(first) > maxNamed {
			first = first[:maxNamed] + "…"
		}
		if len(strict) > 1 {
			return fmt.Errorf("%s (and %d more)", first, len(strict)-1)
		}
		return errors.New(first)
	}
	return nil
}

func describe(err error) error {
	if is, offset := kjson.SyntaxErrorOffset(err); is {
		return fmt.Errorf("not a JSON document: broken at byte %d", offset)
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("field %q: a %s is expected", e.Field, e.Type)
	}
	return errors.New("a value has not the form of its field (times are RFC 3339, text is UTF-8)")
}
