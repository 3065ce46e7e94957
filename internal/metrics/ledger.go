// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/ledger"
)

// asideKinds are the kinds of what is set aside, each with a series of its own.
var asideKinds = []string{"observation", "behaviour", "timer"}

// historyStates name the stages of a channel's history in labels.
var historyStates = map[ledger.History]string{
	ledger.HistoryReading: "reading", ledger.HistoryProcessing: "processing", ledger.HistoryComplete: "complete",
}

// Channel is what the ledger knows of a declared channel, for operators.
type Channel struct {
	N                       int64
	Name                    string
	History                 ledger.History
	Since, Watermark        time.Time
	Epoch                   int64
	Holder                  string
	DroppedOld, Quarantined int64
	// SetAside counts by kind of what could not be processed.
	SetAside map[string]int64
}

// ReadChannels reads the declared channels that the ledger knows, in the order of the blueprint. Where a name has
// belonged to several channels in turn, the latest one counts.
func ReadChannels(ctx context.Context, db *sql.DB, bp *blueprint.Blueprint) ([]Channel, error) {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, fmt.Errorf("read the ledger's channels: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	byName, numbers := map[string]*Channel{}, map[int64]*Channel{}
	err = each(ctx, tx, func(rs *sql.Rows) error {
		c := &Channel{SetAside: map[string]int64{}}
		var since, watermark int64
		if err := rs.Scan(&c.N, &c.Name, &c.History, &since, &watermark, &c.Epoch, &c.Holder, &c.DroppedOld, &c.Quarantined); err != nil {
			return err
		}
		c.Since, c.Watermark = timeOf(since), timeOf(watermark)
		byName[c.Name], numbers[c.N] = c, c
		return nil
	}, "SELECT n, name, history, since, watermark, epoch, holder, dropped_old, quarantined FROM channels ORDER BY n")
	if err != nil {
		return nil, fmt.Errorf("read the ledger's channels: %w", err)
	}
	err = each(ctx, tx, func(rs *sql.Rows) error {
		var n, count int64
		var what string
		if err := rs.Scan(&n, &what, &count); err != nil {
			return err
		}
		if c := numbers[n]; c != nil {
			c.SetAside[what] = count
		}
		return nil
	}, "SELECT channel, what, count(*) FROM setaside GROUP BY channel, what")
	if err != nil {
		return nil, fmt.Errorf("read what the ledger has set aside: %w", err)
	}
	var out []Channel
	for i := range bp.Channels {
		if c := byName[bp.Channels[i].Name]; c != nil {
			out = append(out, *c)
		}
	}
	return out, nil
}

// Ledger collects what operators want to know of a ledger.
type Ledger struct {
	DB *sql.DB
	// Path is the ledger's file.
	Path string
	// Blueprint gives the one in force; nil while there is none, and nothing is collected.
	Blueprint func() *blueprint.Blueprint
	// Drained says how much of a channel's history (by row number) has been processed; false while none is being.
	Drained func(channel int64) (done, total int64, ok bool)
	Now     func() time.Time
	Log     logr.Logger

	cache cache[*blueprint.Blueprint, *ledgerFigures]
}

type ledgerFigures struct {
	channels []Channel
	size     int64
	free     int64
}

// Describe implements prometheus.Collector.
func (l *Ledger) Describe(ch chan<- *prometheus.Desc) {
	describe(ch, pollInterval, ledgerReadable, ledgerSize, ledgerFree, ledgerWatermark, ledgerHistory, ledgerDrained, ledgerSetAside, ledgerDroppedOld, ledgerQuarantined)
}

// Collect implements prometheus.Collector.
func (l *Ledger) Collect(ch chan<- prometheus.Metric) {
	bp := l.Blueprint()
	if bp == nil {
		return
	}
	figures := l.cache.get(bp, clock(l.Now), func(ctx context.Context) *ledgerFigures {
		f, err := l.read(ctx, bp)
		if err != nil {
			l.Log.Error(err, "The ledger's figures cannot be shown", "community", bp.Name)
			return nil
		}
		return f
	})
	send := func(name string, kind prometheus.ValueType, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(descs[name], kind, v, append([]string{bp.Name}, labels...)...)
	}
	for i := range bp.Channels {
		send(pollInterval, prometheus.GaugeValue, bp.Channels[i].Poll.Seconds(), bp.Channels[i].Name)
	}
	send(ledgerReadable, prometheus.GaugeValue, one(figures != nil))
	if figures == nil {
		return
	}
	send(ledgerSize, prometheus.GaugeValue, float64(figures.size))
	send(ledgerFree, prometheus.GaugeValue, float64(figures.free))
	for _, c := range figures.channels {
		for h, name := range historyStates {
			send(ledgerHistory, prometheus.GaugeValue, one(c.History == h), c.Name, name)
		}
		if c.History == ledger.HistoryComplete && !c.Watermark.IsZero() {
			send(ledgerWatermark, prometheus.GaugeValue, unix(c.Watermark), c.Name)
		}
		if done, total, ok := l.Drained(c.N); ok && total > 0 {
			send(ledgerDrained, prometheus.GaugeValue, float64(done)/float64(total), c.Name)
		}
		for _, what := range asideKinds {
			send(ledgerSetAside, prometheus.GaugeValue, float64(c.SetAside[what]), c.Name, what)
		}
		send(ledgerDroppedOld, prometheus.CounterValue, float64(c.DroppedOld), c.Name)
		send(ledgerQuarantined, prometheus.CounterValue, float64(c.Quarantined), c.Name)
	}
}

func (l *Ledger) read(ctx context.Context, bp *blueprint.Blueprint) (*ledgerFigures, error) {
	size, err := SizeOf(l.Path)
	if err != nil {
		return nil, err
	}
	space, err := ledger.SpaceAt(l.Path)
	if err != nil {
		return nil, err
	}
	channels, err := ReadChannels(ctx, l.DB, bp)
	return &ledgerFigures{channels: channels, size: size, free: space.Free}, err
}

// SizeOf gives the bytes that a SQLite ledger takes, with its log of writes.
func SizeOf(path string) (int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, fmt.Errorf("measure the ledger: %w", err)
	}
	size := info.Size()
	if wal, err := os.Stat(path + "-wal"); err == nil {
		size += wal.Size()
	}
	return size, nil
}

// each runs a query of a read transaction.
func each(ctx context.Context, tx *sql.Tx, scan func(*sql.Rows) error, query string) error {
	rs, err := tx.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer func() { _ = rs.Close() }() // its error shows in rs.Err
	for rs.Next() {
		if err := scan(rs); err != nil {
			return err
		}
	}
	return rs.Err()
}

func clock(now func() time.Time) func() time.Time {
	if now == nil {
		return time.Now
	}
	return now
}

func timeOf(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
