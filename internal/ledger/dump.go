// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/kith-dev/kith/api/event"
)

// DumpOptions choose what a dump holds.
type DumpOptions struct {
	// Derived leaves out events and totals: only what a rebuild makes.
	Derived bool
	// Labels adds the labels that occurrences were counted under; a rebuild does not make them.
	Labels bool
}

// Dump writes the canonical copy of a ledger as JSON lines: channels, events with facts, threads, messages, members'
// activity, occurrences, counters. The same community read in any order, by any process, however often it was killed,
// gives the same bytes: observed times, watermarks, epochs, row numbers, random ids and texts are left out; members are
// numbered by their first appearance.
func (l *Ledger) Dump(ctx context.Context, w io.Writer, o DumpOptions) error {
	d := &dumper{ctx: ctx, l: l, out: bufio.NewWriterSize(w, 1<<16), o: o, alias: map[int64]string{}}
	steps := []func() error{d.members, d.channels, d.events, d.threads, d.messages, d.stats, d.occurrences, d.timers, d.totals}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return d.out.Flush()
}

type dumper struct {
	ctx   context.Context
	l     *Ledger
	out   *bufio.Writer
	o     DumpOptions
	alias map[int64]string
}

func (d *dumper) line(kind string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(d.out, "%s %s\n", kind, b)
	return err
}

func (d *dumper) each(scan func(*sql.Rows) error, query string) error {
	return d.l.each(d.ctx, scan, query)
}

// members numbers people by the first thing they did, in an order that does not depend on the order of reading.
func (d *dumper) members() error {
	return d.each(func(rs *sql.Rows) error {
		var n int64
		if err := rs.Scan(&n); err != nil {
			return err
		}
		if n != 0 && d.alias[n] == "" {
			d.alias[n] = fmt.Sprintf("m%d", len(d.alias)+1)
		}
		return nil
	}, `SELECT e.author FROM events e JOIN channels c ON c.n = e.channel WHERE e.thread <> 0
		ORDER BY `+firstDone)
}

// firstDone orders what people did so that the order does not depend on the order of reading.
const firstDone = "e.at, c.platform, c.instance, c.account, e.kind, e.native, e.revision"

func (d *dumper) name(n int64) string {
	if n == 0 {
		return ""
	}
	if a := d.alias[n]; a != "" {
		return a
	}
	return "m-"
}

func (d *dumper) channels() error {
	return d.each(func(rs *sql.Rows) error {
		c, err := scanChannel(rs)
		if err != nil {
			return err
		}
		return d.line("channel", map[string]any{"ref": c.Ref, "history": int(c.History), "fromBeginning": c.FromBeginning, "droppedOld": c.DroppedOld})
	}, "SELECT "+channelColumns+" FROM channels ORDER BY platform, instance, account")
}

type eventLine struct {
	Channel  string      `json:"channel"`
	Kind     event.Kind  `json:"kind"`
	Native   string      `json:"native"`
	Revision int         `json:"revision,omitempty"`
	At       int64       `json:"at"`
	Inferred bool        `json:"inferred,omitempty"`
	Imported bool        `json:"imported,omitempty"`
	Thread   string      `json:"thread,omitempty"`
	Message  string      `json:"message,omitempty"`
	Author   string      `json:"author,omitempty"`
	Actor    string      `json:"actor,omitempty"`
	Data     Data        `json:"data,omitzero"`
	Parent   string      `json:"parent,omitempty"`
	From     string      `json:"from,omitempty"`
	Facts    event.Facts `json:"facts,omitzero"`
}

func (d *dumper) events() error {
	if d.o.Derived {
		return nil
	}
	return d.each(func(rs *sql.Rows) error {
		var line eventLine
		var kind, flags int
		var author, actor int64
		var data, facts string
		if err := rs.Scan(&line.Channel, &kind, &line.Native, &line.Revision, &line.At, &flags, &line.Thread, &line.Message, &author, &actor, &data, &facts, &line.Parent, &line.From); err != nil {
			return err
		}
		line.Kind, line.Inferred, line.Imported = kindCodes[kind], flags&flagInferred != 0, flags&flagImported != 0
		line.Author, line.Actor = d.name(author), d.name(actor)
		for s, into := range map[string]any{data: &line.Data, facts: &line.Facts} {
			if s != "" {
				if err := json.Unmarshal([]byte(s), into); err != nil {
					return err
				}
			}
		}
		line.Data.Parent, line.Data.From = 0, 0
		if line.Data.Member != nil {
			line.Native = line.Author // the random id of a member
		}
		return d.line("event", line)
	}, `SELECT c.platform || '/' || c.instance || '/' || c.account, e.kind, e.native, e.revision, e.at, e.flags,
		coalesce(t.native, ''), coalesce(m.native, ''), e.author, e.actor, e.data, e.facts, coalesce(pm.native, ''), coalesce(ft.native, '')
		FROM events e JOIN channels c ON c.n = e.channel
		LEFT JOIN threads t ON t.n = e.thread LEFT JOIN messages m ON m.n = e.message
		LEFT JOIN messages pm ON pm.n = json_extract(nullif(e.data, ''), '$.parent')
		LEFT JOIN threads ft ON e.kind = 6 AND ft.n = json_extract(nullif(e.data, ''), '$.from')
		LEFT JOIN (SELECT a, min(place) AS first FROM (SELECT e.author AS a, row_number() OVER (ORDER BY `+firstDone+`) AS place
			FROM events e JOIN channels c ON c.n = e.channel WHERE e.thread <> 0) GROUP BY a) f ON f.a = e.author AND e.kind IN (21, 22, 23)
		WHERE e.kind <> 25
		ORDER BY c.platform, c.instance, c.account, e.at, e.kind, CASE WHEN e.kind IN (21, 22, 23) THEN '' ELSE e.native END, e.revision, e.data, f.first`)
}

func (d *dumper) threads() error {
	return d.each(func(rs *sql.Rows) error {
		t := &Thread{}
		var doc, solution, opening, first, firstMember string
		if err := rs.Scan(&t.Native, &t.Opened, &t.LastAt, &t.Asker, &t.Question, &t.Visible, &t.FirstAt, &t.FirstParty, &t.FirstMemberAt, &t.Solver, &doc, &solution, &opening, &first, &firstMember); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(doc), &t.Doc); err != nil {
			return err
		}
		t.Doc.Opening, t.Doc.OpeningSeq, t.Doc.First, t.Doc.FirstMember = 0, 0, 0, 0
		for age := range t.Doc.Aged {
			t.Doc.Aged[age] = 1
		}
		return d.line("thread", []any{t.Native, t.Opened, t.LastAt, d.name(t.Asker), t.Question, t.Visible, t.FirstAt, t.FirstParty, t.FirstMemberAt, d.name(t.Solver), solution, opening, first, firstMember, t.Doc})
	}, `SELECT t.native, t.opened, t.last_at, t.asker, t.question, t.visible, t.first_at, t.first_party, t.first_member_at, t.solver, t.doc,
		coalesce(s.native, ''), coalesce(o.native, ''), coalesce(f.native, ''), coalesce(g.native, '') FROM threads t JOIN channels c ON c.n = t.channel
		LEFT JOIN messages s ON s.n = t.solution LEFT JOIN messages o ON o.n = json_extract(t.doc, '$.opening')
		LEFT JOIN messages f ON f.n = json_extract(t.doc, '$.first') LEFT JOIN messages g ON g.n = json_extract(t.doc, '$.firstMember')
		ORDER BY c.platform, c.instance, c.account, t.native`)
}

func (d *dumper) messages() error {
	return d.each(func(rs *sql.Rows) error {
		var native, thread, parent, reactions, revisions string
		var author, at, flags, hash int64
		var revision int
		if err := rs.Scan(&native, &thread, &author, &at, &parent, &flags, &revision, &hash, &reactions, &revisions); err != nil {
			return err
		}
		return d.line("message", []any{native, thread, d.name(author), at, parent, flags, revision, uint64(hash), reactions, revisions}) // #nosec G115 -- stored bit for bit
	}, `SELECT m.native, t.native, m.author, m.at, coalesce(p.native, ''), m.flags, m.revision, m.hash, m.reactions, m.revisions
		FROM messages m JOIN channels c ON c.n = m.channel JOIN threads t ON t.n = m.thread LEFT JOIN messages p ON p.n = m.parent
		ORDER BY c.platform, c.instance, c.account, m.native`)
}

func (d *dumper) stats() error {
	lines := map[string][]any{}
	var order []string
	err := d.each(func(rs *sql.Rows) error {
		var member, messages, first, last, joined int64
		var prior *int64
		var bot bool
		var domain, roles string
		var days []byte
		var revision int
		if err := rs.Scan(&member, &prior, &messages, &first, &last, &joined, &bot, &domain, &roles, &days, &revision); err != nil {
			return err
		}
		if a := d.alias[member]; a != "" {
			lines[a] = []any{a, prior, messages, first, last, joined, bot, domain, strings.Split(roles, "\n"), days}
		}
		return nil
	}, "SELECT "+statsColumns+" FROM stats")
	for i := range len(d.alias) {
		order = append(order, fmt.Sprintf("m%d", i+1))
	}
	for _, a := range order {
		if err == nil && lines[a] != nil {
			err = d.line("member", lines[a])
		}
	}
	return err
}

func (d *dumper) occurrences() error {
	return d.each(func(rs *sql.Rows) error {
		var behaviour, generation, thread, message, source, basis, level, party, segment, blevel, bparty, bsegment, label string
		var credit, benefits, arose, at, due int64
		var state State
		var imported bool
		if err := rs.Scan(&behaviour, &generation, &thread, &message, &source, &basis, &credit, &benefits, &level, &party, &segment,
			&blevel, &bparty, &bsegment, &arose, &at, &due, &state, &imported, &label); err != nil {
			return err
		}
		if !d.o.Labels {
			label = ""
		}
		return d.line("occurrence", []any{behaviour, generation, thread, message, source, basis, d.name(credit), d.name(benefits), level, party, segment,
			blevel, bparty, bsegment, arose, at, due, state.String(), imported, label})
	}, `SELECT o.behaviour, o.generation, coalesce(t.native, ''), coalesce(m.native, ''), e.kind || '/' || CASE WHEN e.kind IN (21, 22, 23) THEN '' ELSE e.native END || '/' || e.revision,
		coalesce(b.behaviour, ''), o.credit, o.benefits, o.level, o.party, o.segment, o.benefits_level, o.benefits_party, o.benefits_segment,
		o.arose, o.at, o.due, o.state, o.imported, o.counted_as
		FROM occurrences o JOIN channels c ON c.n = o.channel JOIN events e ON e.seq = o.seq
		LEFT JOIN threads t ON t.n = o.thread LEFT JOIN messages m ON m.n = o.message LEFT JOIN occurrences b ON b.n = o.basis
		ORDER BY o.behaviour, c.platform, c.instance, c.account, o.arose, coalesce(t.native, ''), coalesce(m.native, ''), e.kind, o.state, o.at, o.n`)
}

func (d *dumper) timers() error {
	return d.each(func(rs *sql.Rows) error {
		var due, after int64
		var kind TimerKind
		var thread, behaviour string
		if err := rs.Scan(&due, &kind, &thread, &after, &behaviour); err != nil {
			return err
		}
		return d.line("timer", []any{due, kind, thread, after, behaviour})
	}, `SELECT r.due, r.kind, coalesce(t.native, ''), r.after, r.behaviour FROM timers r LEFT JOIN threads t ON t.n = r.thread JOIN channels c ON c.n = r.channel
		WHERE r.due > c.watermark AND r.kind <> 4 ORDER BY c.platform, c.instance, c.account, r.due, r.kind, coalesce(t.native, ''), r.after, r.behaviour`)
}

func (d *dumper) totals() error {
	if d.o.Derived {
		return nil
	}
	if err := d.each(func(rs *sql.Rows) error {
		var channel string
		var c Counter
		var value int64
		if err := rs.Scan(&channel, &c.Name, &c.Behaviour, &c.Level, &c.Segment, &value); err != nil {
			return err
		}
		return d.line("counter", []any{channel, c.Name, c.Behaviour, c.Level, c.Segment, value})
	}, `SELECT c.platform || '/' || c.instance || '/' || c.account, k.name, k.behaviour, k.level, k.segment, k.value
		FROM counters k JOIN channels c ON c.n = k.channel ORDER BY 1, 2, 3, 4, 5`); err != nil {
		return err
	}
	return d.each(func(rs *sql.Rows) error {
		var channel, name string
		var le, value int64
		if err := rs.Scan(&channel, &name, &le, &value); err != nil {
			return err
		}
		return d.line("bucket", []any{channel, name, le, value})
	}, `SELECT c.platform || '/' || c.instance || '/' || c.account, k.name, k.le, k.value FROM buckets k JOIN channels c ON c.n = k.channel ORDER BY 1, 2, 3`)
}
