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
	out      io.Writer
	terminal bool
	now      func() time.Time

	mu sync.Mutex
	// bars is nil while none is drawn. Whoever else writes to the terminal calls rest first: bars move the cursor.
	bars  *mpb.Progress
	shown map[string]*shown
	done  bool
}

// shown is what has been shown of a channel.
type shown struct {
	bar *mpb.Bar
	// what and how far are read by the bar's own goroutine, while this one may wait for that: no lock.
	what, far atomic.Value
	last      time.Time
	// said is the last line's kind: only numbers changed where it is the same.
	said string
	over bool
}

func newProgress(out io.Writer, terminal bool) *progress {
	return &progress{out: out, terminal: terminal, now: time.Now, shown: map[string]*shown{}}
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
	if c.over || p.done {
		return
	}
	far := ""
	switch {
	case total > 0:
		far = fmt.Sprintf("%s of %s %s", number(done), number(total), unit)
	case done > 0:
		far = fmt.Sprintf("%s %s", number(done), unit)
	}
	if !p.terminal {
		p.line(channel, what, strings.TrimSuffix(what+": "+far, ": "))
		return
	}
	c.what.Store(what)
	c.far.Store(far)
	if p.bars == nil {
		p.bars = mpb.New(mpb.WithOutput(p.out), mpb.WithAutoRefresh(), mpb.WithWidth(32), mpb.WithRefreshRate(150*time.Millisecond))
	}
	if c.bar == nil {
		c.bar = p.bars.AddBar(total,
			mpb.PrependDecorators(
				decor.Name(channel, decor.WCSyncSpaceR),
				decor.Any(func(decor.Statistics) string { return c.what.Load().(string) }, decor.WCSyncSpaceR),
			),
			mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return " " + c.far.Load().(string) })),
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
		if !p.drawing() {
			p.clear()
		}
	}
	if c.said != "" && !p.terminal {
		fmt.Fprintf(p.out, "%s: history read\n", channel)
	}
	c.said = ""
}

// write puts text above the bars.
func (p *progress) write(text string) {
	if p.bars != nil {
		// There is no better place to say that a terminal is gone.
		_, _ = p.bars.Write([]byte(text))
		return
	}
	fmt.Fprint(p.out, text)
}

// drawing says whether any bar is drawn.
func (p *progress) drawing() bool {
	for _, c := range p.shown {
		if c.bar != nil {
			return true
		}
	}
	return false
}

// clear takes all bars away, and waits until they are. Those that are not over are drawn again when they move.
func (p *progress) clear() {
	for _, c := range p.shown {
		if c.bar != nil {
			c.bar.Abort(true)
			c.bar = nil
		}
	}
	if p.bars != nil {
		p.bars.Shutdown()
		p.bars = nil
	}
}

// rest makes room for others to write to the terminal.
func (p *progress) rest() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
}

// close takes the bars away for good.
func (p *progress) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done = true
	p.clear()
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
