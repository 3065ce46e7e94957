// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package conversation

import (
	"sync"

	"github.com/kith-dev/kith/api/event"
)

// Prepared is what a message's text alone tells: it needs no ledger, and so can be worked out before a transaction.
type Prepared struct {
	text    string
	hash    uint64
	reading Reading
}

func prepare(m *event.Message) *Prepared {
	text := PlainText(m.Text, m.TextFormat)
	whole := text
	if m.TextHash != "" { // the connector cut it: what it says of the whole tells edits beyond the cut
		whole = m.TextHash
	}
	return &Prepared{text: text, hash: textHash(whole), reading: readText(text)}
}

// Prepare reads the texts of a page, in as many goroutines as asked for.
func Prepare(list []event.Observation, workers int) map[*event.Message]*Prepared {
	var messages []*event.Message
	for i := range list {
		if m := list[i].Message; m != nil && m.Kind != event.Notice && m.Kind != event.Whisper {
			messages = append(messages, m)
		}
	}
	done := make([]*Prepared, len(messages))
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			for i := w; i < len(messages); i += workers {
				done[i] = tryPrepare(messages[i])
			}
		})
	}
	wait.Wait()
	out := make(map[*event.Message]*Prepared, len(messages))
	for i, m := range messages {
		out[m] = done[i]
	}
	return out
}

// tryPrepare gives nil where reading the text panics: it is read again when its turn comes, where a panic sets aside one
// observation rather than ending the process.
func tryPrepare(m *event.Message) (d *Prepared) {
	defer func() {
		if recover() != nil {
			d = nil
		}
	}()
	return prepare(m)
}

func (p *Processor) prepared(m *event.Message) *Prepared {
	if d := p.Prepared[m]; d != nil {
		return d
	}
	return prepare(m)
}
