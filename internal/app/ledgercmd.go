// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/kith-dev/kith/internal/behaviour"
	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/hub"
	"github.com/kith-dev/kith/internal/ledger"
)

// LedgerOptions say which ledger a command is about.
type LedgerOptions struct {
	// DataDir holds the ledger; or Community, whose default folder it is.
	DataDir   string
	Community string
	// KeyFile holds the identity key where that is not the data folder's own; PreviousKeyFile the one before it.
	KeyFile         string
	PreviousKeyFile string
}

func (o LedgerOptions) folder() (string, error) {
	switch {
	case o.DataDir != "":
		return o.DataDir, nil
	case o.Community != "":
		return DefaultDataDir(o.Community), nil
	}
	return "", Usagef("which ledger? Give its folder with --data-dir, or the community's name with --community")
}

// path is where the ledger lies, which must exist.
func (o LedgerOptions) path() (string, error) {
	dir, err := o.folder()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, ledgerFile)
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("there is no ledger in %s (%w): kith run tells where it keeps a community's", dir, errors.Unwrap(err))
	}
	return path, nil
}

func (o LedgerOptions) keys() (ledger.Keys, error) {
	dir, err := o.folder()
	if err != nil {
		return ledger.Keys{}, err
	}
	file := o.KeyFile
	if file == "" {
		file = filepath.Join(dir, keyFile)
	}
	current, err := os.ReadFile(file) //nolint:gosec // whoever runs the command names the key's place
	if errors.Is(err, fs.ErrNotExist) {
		return ledger.Keys{}, fmt.Errorf("there is no identity key at %s: name its file with --key-file", file)
	}
	if err != nil {
		return ledger.Keys{}, fmt.Errorf("read the identity key: %w", err)
	}
	var previous []byte
	if o.PreviousKeyFile != "" {
		if previous, err = os.ReadFile(o.PreviousKeyFile); err != nil {
			return ledger.Keys{}, fmt.Errorf("read the previous identity key: %w", err)
		}
		previous = ledger.DecodeKey(previous)
	}
	return ledger.NewKeys(ledger.DecodeKey(current), previous)
}

// with opens an existing ledger for a command.
func (o LedgerOptions) with(ctx context.Context, std Stdio, do func(*ledger.Ledger) error) error {
	path, err := o.path()
	if err != nil {
		return err
	}
	keys, err := o.keys()
	if err != nil {
		return err
	}
	return alone(ctx, std, filepath.Dir(path), func() error {
		l, err := ledger.Open(ctx, path, ledger.Options{Keys: keys})
		if err != nil {
			return err
		}
		return errors.Join(do(l), l.Close())
	})
}

// steps tells how far a long command is, now and then.
func steps(std Stdio, what string) func(done, total int64) {
	last := time.Now()
	return func(done, total int64) {
		if now := time.Now(); now.Sub(last) >= quiet && done < total {
			last = now
			fmt.Fprintf(std.Err, "%s: %s of %s events\n", what, number(done), number(total))
		}
	}
}

// LedgerRebuild derives everything anew from the record.
func LedgerRebuild(ctx context.Context, std Stdio, o LedgerOptions) error {
	return o.with(ctx, std, func(l *ledger.Ledger) error {
		if err := hub.Rebuild(ctx, l, steps(std, "rebuilding")); err != nil {
			return err
		}
		_, err := fmt.Fprintf(std.Out, "Rebuilt from %s. Counters have not moved. %s\n", count(l.LastSeq(), "event", "events"), reach(ctx, l))
		return err
	})
}

// LedgerCheck derives everything anew beside the ledger and compares. Differences are written as far as limit, and make it
// return ErrReported.
func LedgerCheck(ctx context.Context, std Stdio, o LedgerOptions, limit int) error {
	return o.with(ctx, std, func(l *ledger.Ledger) error {
		found, err := hub.Check(ctx, l, limit, steps(std, "checking"))
		if err != nil {
			return err
		}
		for _, d := range found {
			if _, err := fmt.Fprintf(std.Out, "%s: %s\n", d.Side, d.Line); err != nil {
				return err
			}
		}
		if len(found) > 0 {
			fmt.Fprintln(std.Err, "The ledger is not what its record comes to; kith ledger rebuild makes it so. Please report what is above.")
			return ErrReported
		}
		_, err = fmt.Fprintf(std.Out, "The ledger is what its record of %s comes to. %s\n", count(l.LastSeq(), "event", "events"), reach(ctx, l))
		return err
	})
}

// reach says how far back what depends on texts can be derived anew.
func reach(ctx context.Context, l *ledger.Ledger) string {
	var first, last int64
	err := l.Reader().QueryRowContext(ctx, "SELECT coalesce(min(at), 0), coalesce(max(at), 0) FROM events WHERE thread <> 0").Scan(&first, &last)
	if err != nil || first == 0 {
		return "The record is empty."
	}
	day := func(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.DateOnly) }
	return fmt.Sprintf("It reaches from %s to %s; what texts said is taken from the stored facts, since texts go after a while.", day(first), day(last))
}

// RecomputeOptions say under which manifests the record is recomputed.
type RecomputeOptions struct {
	// Folder holds the manifests; Output is text or json.
	Folder, Output string
}

type recomputed struct {
	Community  string                `json:"community"`
	Behaviours []recomputedBehaviour `json:"behaviours"`
	// ActivityFrom and ActivityTo bound the record. TextsFrom is the oldest message of which a text is left: rules that
	// read texts, and were others then, see nothing before it.
	ActivityFrom time.Time `json:"activityFrom,omitzero"`
	ActivityTo   time.Time `json:"activityTo,omitzero"`
	TextsFrom    time.Time `json:"textsFrom,omitzero"`
}

type recomputedBehaviour struct {
	Name string `json:"name"`
	// Recorded and Recomputed are how often it counted in all of the record; null is what may not be told, for the reason
	// in Withheld.
	Recorded   *int   `json:"recorded"`
	Recomputed *int   `json:"recomputed"`
	Withheld   string `json:"withheld,omitempty"`
	ReadsText  bool   `json:"readsText,omitempty"`
}

// LedgerRecompute tells what the record would come to, had the manifests of a folder been in force from the start. It
// changes nothing.
func LedgerRecompute(ctx context.Context, std Stdio, o LedgerOptions, ro RecomputeOptions) error {
	if err := checkOutput(ro.Output, OutputText, OutputJSON); err != nil {
		return err
	}
	if ro.Folder == "" {
		return Usagef("under which manifests? Give their folder with -f")
	}
	m := manifests{folder: ro.Folder, wanted: o.Community}
	c, err := m.load()
	if c != nil {
		for _, p := range c.problems {
			fmt.Fprintln(std.Err, p)
		}
	}
	if err != nil {
		return err
	}
	if blueprint.HasErrors(c.problems) {
		return fmt.Errorf("nothing was recomputed: correct what is wrong with %s first", ro.Folder)
	}
	if o.DataDir == "" {
		o.Community = c.blueprint.Name
	}
	return o.with(ctx, std, func(l *ledger.Ledger) error {
		out, err := recompute(ctx, std, l, c.blueprint)
		if err != nil {
			return err
		}
		if ro.Output == OutputJSON {
			return json.NewEncoder(std.Out).Encode(out)
		}
		_, err = fmt.Fprint(std.Out, out.text())
		return err
	})
}

func recompute(ctx context.Context, std Stdio, l *ledger.Ledger, bp *blueprint.Blueprint) (*recomputed, error) {
	recorded, err := recordedBlueprint(ctx, l)
	if err != nil {
		return nil, err
	}
	if recorded.Name != bp.Name {
		return nil, fmt.Errorf("the ledger is of community %s, the manifests are of %s: name another folder with -f or --data-dir", recorded.Name, bp.Name)
	}
	shadow, err := hub.Recompute(ctx, l, bp, steps(std, "recomputing"))
	if err != nil {
		return nil, err
	}
	before, err := behaviour.Totals(ctx, l.Reader(), bp, totalsWindow)
	var after []behaviour.Total
	if err == nil {
		after, err = behaviour.Totals(ctx, shadow.Reader(), bp, totalsWindow)
	}
	if err := errors.Join(err, shadow.Discard()); err != nil {
		return nil, err
	}
	out := &recomputed{Community: bp.Name, Behaviours: []recomputedBehaviour{}}
	for i := range after {
		x, y := behaviourOf(bp, before[i]), behaviourOf(bp, after[i])
		out.Behaviours = append(out.Behaviours, recomputedBehaviour{Name: x.Name, Recorded: x.All, Recomputed: y.All,
			Withheld: withheldAll(bp, x.All, y.All), ReadsText: after[i].Behaviour.ReadsText})
	}
	var first, last, texts int64
	err = l.Reader().QueryRowContext(ctx, `SELECT coalesce(min(at), 0), coalesce(max(at), 0), (SELECT coalesce(min(at), 0) FROM texts)
		FROM events WHERE thread <> 0`).Scan(&first, &last, &texts)
	out.ActivityFrom, out.ActivityTo, out.TextsFrom = timeOrZero(first), timeOrZero(last), timeOrZero(texts)
	return out, err
}

func withheldAll(bp *blueprint.Blueprint, numbers ...*int) string {
	if slices.Contains(numbers, nil) {
		return fewer(bp)
	}
	return ""
}

func timeOrZero(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func (r *recomputed) text() string {
	t := newTable("", 1, 2)
	t.row("BEHAVIOUR", "RECORDED", "RECOMPUTED")
	withheld, reading := "", false
	for _, b := range r.Behaviours {
		name := b.Name
		if b.ReadsText {
			name, reading = name+" (reads texts)", true
		}
		if b.Withheld != "" {
			withheld = b.Withheld
		}
		t.row(name, told(b.Recorded), told(b.Recomputed))
	}
	s := t.String()
	if withheld != "" {
		s += fmt.Sprintf("  %s: the figure would be %s\n", few, withheld)
	}
	if r.ActivityFrom.IsZero() {
		return s + "The record is empty.\n"
	}
	s += fmt.Sprintf("Activity is recorded from %s to %s. Parties, levels and what else was known of a moment stay as they were recorded.\n",
		r.ActivityFrom.Format(time.DateOnly), r.ActivityTo.Format(time.DateOnly))
	switch {
	case reading && r.TextsFrom.IsZero():
		s += "No texts are left: where a rule that reads texts was another one then, it sees none.\n"
	case reading:
		s += fmt.Sprintf("Texts are left since %s: where a rule that reads texts was another one then, it sees none before that day.\n", r.TextsFrom.Format(time.DateOnly))
	}
	return s + "Nothing was changed.\n"
}

// LedgerRetry processes again what was set aside.
func LedgerRetry(ctx context.Context, std Stdio, o LedgerOptions) error {
	return o.with(ctx, std, func(l *ledger.Ledger) error {
		h := hub.New(l, hub.Options{Log: std.Log})
		defer h.Close()
		bp, err := recordedBlueprint(ctx, l)
		if err != nil {
			return err
		}
		if err := h.Apply(ctx, bp); err != nil {
			return err
		}
		r, err := h.Retry(ctx)
		if err != nil {
			return err
		}
		left, err := l.ListAside(ctx)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(std.Out, "Tried %s again, %d succeeded.\n", count(r.Tried, "item", "items"), r.Succeeded); err != nil {
			return err
		}
		for _, s := range left {
			if _, err := fmt.Fprintf(std.Out, "  %s, tried %s: %s\n", s.What, count(s.Attempts, "time", "times"), s.Error); err != nil {
				return err
			}
		}
		if len(left) > 0 {
			return ErrReported
		}
		return nil
	})
}

// LedgerCopyOut writes the canonical copy: the same community gives the same bytes, however it was read.
func LedgerCopyOut(ctx context.Context, std Stdio, o LedgerOptions) error {
	return o.with(ctx, std, func(l *ledger.Ledger) error { return l.Dump(ctx, std.Out, ledger.DumpOptions{}) })
}

// Standard names standard input or output in the place of a file, for a pod from which nothing else leads out.
const Standard = "-"

// LedgerBackup copies the ledger to a file, or to standard output, also while kith runs.
func LedgerBackup(ctx context.Context, std Stdio, o LedgerOptions, to string) error {
	path, err := o.path()
	if err != nil {
		return err
	}
	if to == Standard {
		return inScratch(func(file string) error {
			if err := ledger.BackupFile(ctx, path, file); err != nil {
				return err
			}
			return copyFrom(std.Out, file)
		})
	}
	if err := ledger.BackupFile(ctx, path, to); err != nil {
		return err
	}
	_, err = fmt.Fprintf(std.Out, "Backed up to %s. It is of use only with the identity key, which is not in it: keep that apart.\n", to)
	return err
}

// inScratch gives the name of a file that does not exist yet, and removes it afterwards.
func inScratch(do func(file string) error) (err error) {
	dir, err := os.MkdirTemp("", "kith-")
	if err != nil {
		return fmt.Errorf("make room for a copy of the ledger: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	return do(filepath.Join(dir, "copy.db"))
}

func copyFrom(w io.Writer, file string) error {
	f, err := os.Open(file) //nolint:gosec // it was made just before
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	if _, err := io.Copy(w, f); err != nil {
		return fmt.Errorf("write the backup to standard output: %w", err)
	}
	return nil
}

func copyTo(file string, r io.Reader) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // in a folder made just before
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, r); err != nil {
		return errors.Join(fmt.Errorf("read the backup from standard input: %w", err), f.Close())
	}
	return f.Close()
}

// LedgerRestore puts a backup, from a file or from standard input, in the ledger's place.
func LedgerRestore(ctx context.Context, std Stdio, o LedgerOptions, from string, yes bool) error {
	if from == Standard {
		if !yes {
			return Usagef("a backup from standard input leaves nobody to ask: add --yes")
		}
		return inScratch(func(file string) error {
			if err := copyTo(file, std.In); err != nil {
				return err
			}
			return LedgerRestore(ctx, std, o, file, yes)
		})
	}
	dir, err := o.folder()
	if err != nil {
		return err
	}
	path := filepath.Join(dir, ledgerFile)
	keys, err := o.keys()
	if err != nil {
		return err
	}
	if _, err := os.Stat(path); err == nil {
		if err := confirm(std, yes, fmt.Sprintf("The ledger in %s is replaced by %s.", dir, from)); err != nil {
			return err
		}
	}
	erased := 0
	err = alone(ctx, std, dir, func() (err error) {
		erased, err = ledger.Restore(ctx, from, path, ledger.Options{Keys: keys})
		return err
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(std.Out, "Restored to %s. %s been erased again. The next kith run reads what is missing.\n", path,
		count(erased, "member who asked for it since has", "members who asked for it since have"))
	return err
}

// confirm asks a person; without one at hand --yes must have been given.
func confirm(std Stdio, yes bool, what string) error {
	if yes {
		return nil
	}
	fmt.Fprintf(std.Err, "%s Go on? Type yes: ", what)
	line, err := bufio.NewReader(std.In).ReadString('\n')
	if strings.TrimSpace(line) == "yes" {
		return nil
	}
	if err != nil && line == "" {
		fmt.Fprintln(std.Err)
		return errors.New("nobody answered: nothing was done; --yes answers beforehand")
	}
	return errors.New("not confirmed: nothing was done")
}

// recordedBlueprint is the one that was in force last.
func recordedBlueprint(ctx context.Context, l *ledger.Ledger) (*blueprint.Blueprint, error) {
	tx, err := l.Begin(ctx)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	digest, err := tx.LastBlueprint()
	if err != nil {
		return nil, err
	}
	if digest == "" {
		return nil, errors.New("the ledger is empty: kith run has not read anything into it")
	}
	document, err := tx.Blueprint(digest)
	if err != nil {
		return nil, err
	}
	return blueprint.Decode(document)
}
