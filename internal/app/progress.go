// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/internal/reader"
)

// quiet is the least time between two lines about one channel while nothing but numbers changes.
const quiet = 3 * time.Second

// progress shows people how far the reading of history has come: bars on a terminal, lines otherwise. Readers call it
// from their own goroutines.
type progress struct {
	out io.Writer
	now func() time.Time

	mu    sync.Mutex
	bars  *mpb.Progress // nil where lines are written
	shown map[string]*shown
}

// shown is what has been shown of a channel.
type shown struct {
	bar *mpb.Bar
	// detail is read by the bar's own goroutine, while this one may wait for that: no lock.
	detail atomic.Value
	last   time.Time
	// said is the last line's kind: only numbers changed where it is the same.
	said string
	over bool
}

func newProgress(out io.Writer, terminal bool) *progress {
	p := &progress{out: out, now: time.Now, shown: map[string]*shown{}}
	if terminal {
		p.bars = mpb.New(mpb.WithOutput(out), mpb.WithWidth(32), mpb.WithRefreshRate(150*time.Millisecond))
	}
	return p
}

// state takes a reader's state.
func (p *progress) state(s reader.State) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case s.Phase == reader.Backfilling:
		at := s.Progress[event.Backfill]
		p.show(s.Channel, "reading history", at.Done, at.Total, at.Unit)
	case s.Phase == reader.Connecting && s.Message == "":
		// Soon over, or it becomes a phase with a message.
	case s.Phase == reader.Connected:
		p.over(s.Channel, s.BackfillDone)
	case s.Message != "":
		p.tell(s.Channel, string(s.Phase)+": "+s.Message+again(s.RetryAt, p.now()), true)
	}
}

// sorting tells how far history that has been read is in the ledger.
func (p *progress) sorting(channel string, done, total int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.shown[channel]; c != nil {
		c.over = false
	}
	p.show(channel, "putting history in order", done, total, "observations")
}

// sorted ends what sorting began.
func (p *progress) sorted(channel string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over(channel, true)
}

func again(at, now time.Time) string {
	if d := at.Sub(now).Round(time.Second); d > 0 {
		return fmt.Sprintf(" (again in %s)", d)
	}
	return ""
}

func (p *progress) of(channel string) *shown {
	c := p.shown[channel]
	if c == nil {
		c = &shown{}
		p.shown[channel] = c
	}
	return c
}

func (p *progress) show(channel, what string, done, total int64, unit string) {
	c := p.of(channel)
	if c.over {
		return
	}
	if p.bars == nil {
		line := what
		switch {
		case total > 0:
			line = fmt.Sprintf("%s: %s of %s %s", what, number(done), number(total), unit)
		case done > 0:
			line = fmt.Sprintf("%s: %s %s", what, number(done), unit)
		}
		p.line(channel, what, line)
		return
	}
	c.detail.Store(strings.TrimSpace(what + " " + unit))
	if c.bar == nil {
		c.bar = p.bars.AddBar(total,
			mpb.PrependDecorators(
				decor.Name(channel, decor.WCSyncSpaceR),
				decor.Any(func(decor.Statistics) string { return c.detail.Load().(string) }, decor.WCSyncSpaceR),
			),
			mpb.AppendDecorators(decor.CountersNoUnit(" %d / %d")),
			mpb.BarRemoveOnComplete(),
		)
	}
	// The total grows while a platform lists what it has; a bar that is full is not over yet.
	c.bar.SetTotal(max(total, done+1), false)
	c.bar.SetCurrent(done)
}

// line writes a line about a channel unless the same kind of line was written just now.
func (p *progress) line(channel, kind, line string) {
	c := p.of(channel)
	now := p.now()
	if c.said == kind && now.Sub(c.last) < quiet {
		return
	}
	c.said, c.last = kind, now
	fmt.Fprintf(p.out, "%s: %s\n", channel, line)
}

func (p *progress) tell(channel, line string, important bool) {
	c := p.of(channel)
	if !important || c.said == line {
		return
	}
	c.said, c.last = line, p.now()
	p.write(fmt.Sprintf("%s: %s\n", channel, line))
}

func (p *progress) over(channel string, done bool) {
	c := p.of(channel)
	if c.over || !done {
		return
	}
	c.over = true
	if c.bar != nil {
		c.bar.Abort(true)
		c.bar = nil
	}
	if c.said != "" && p.bars == nil {
		fmt.Fprintf(p.out, "%s: history read\n", channel)
	}
	c.said = ""
}

// write puts text above the bars.
func (p *progress) write(text string) {
	if p.bars != nil {
		_, _ = p.bars.Write([]byte(text)) //nolint:errcheck // there is no better place to say that a terminal is gone
		return
	}
	fmt.Fprint(p.out, text)
}

// close takes the bars away. Nothing may be shown afterwards.
func (p *progress) close() {
	p.mu.Lock()
	for _, c := range p.shown {
		if c.bar != nil {
			c.bar.Abort(true)
			c.bar = nil
		}
		c.over = true
	}
	bars := p.bars
	p.bars = nil
	p.mu.Unlock()
	if bars != nil {
		bars.Shutdown()
	}
}

// number writes a whole number with thousands set apart.
func number[N ~int | ~int64](n N) string {
	s := fmt.Sprint(int64(n))
	neg := strings.HasPrefix(s, "-")
	s = strings.TrimPrefix(s, "-")
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	if neg {
		s = "-" + s
	}
	return s
}

// print writes lines of others, above the bars.
func (p *progress) print(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.write(text)
}
