// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import "github.com/go-logr/logr"

// managerLog is the log of a manager that ends in good order: controller-runtime takes the lease that it gives back at the
// end for one that it has lost, and may say so as an error.
type managerLog struct{ logr.LogSink }

// orderly makes a log a managerLog.
func orderly(log logr.Logger) logr.Logger {
	sink := log.GetSink()
	if sink == nil {
		return log // it is thrown away
	}
	return log.WithSink(managerLog{sink})
}

// Error implements logr.LogSink.
func (l managerLog) Error(err error, message string, keysAndValues ...any) {
	if err != nil && err.Error() == "leader election lost" && message == "error received after stop sequence was engaged" {
		l.Info(0, "The lease is given back")
		return
	}
	l.LogSink.Error(err, message, keysAndValues...)
}

// WithValues implements logr.LogSink.
func (l managerLog) WithValues(keysAndValues ...any) logr.LogSink {
	return managerLog{l.LogSink.WithValues(keysAndValues...)}
}

// WithName implements logr.LogSink.
func (l managerLog) WithName(name string) logr.LogSink { return managerLog{l.LogSink.WithName(name)} }
