// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import "errors"

// outcome ends a pass without a retry: the condition says why, and a watch tells of whatever could change it.
type outcome struct {
	reason, message string
	terminal        bool
}

// Error implements error.
func (o *outcome) Error() string { return o.message }

// Terminal ends a pass that cannot succeed before somebody changes something: the resource is Stalled with this reason
// and message, which says what to do. It is not tried again until something that it depends on changes.
func Terminal(reason, message string) error {
	return &outcome{reason: reason, message: message, terminal: true}
}

// Waiting ends a pass that goes on by itself as soon as something else is there, such as a Community that is applied
// after its channels: the resource is Reconciling with this reason and message, and a watch brings it back.
func Waiting(reason, message string) error {
	return &outcome{reason: reason, message: message}
}

// ends is whether a pass with this error is over, so that nothing is gained by repeating it.
func ends(err error) bool {
	_, ok := errors.AsType[*outcome](err)
	return ok
}

// IsTerminal is whether an error was made by Terminal.
func IsTerminal(err error) bool {
	o, ok := errors.AsType[*outcome](err)
	return ok && o.terminal
}
