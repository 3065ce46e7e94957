// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package behaviour

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"
)

// Summary is what `kith try` says of a place without any manifest: how its members answer each other. Threads are all
// visible ones opened since a time, whether they ask something or not; the first response is the first regular, not
// removed message by somebody other than the asker, no bot and no automatic reply. Threads without one count as
// infinite in every quantile over all threads. Never a mean.
type Summary struct {
	Threads    int `json:"threads"`
	Messages   int `json:"messages"`
	Authors    int `json:"authors"`
	Answered   int `json:"answered"`
	Unanswered int `json:"unanswered"`
	// AnsweredWithin24h and the shares within 1 h, 4 h, 24 h, 72 h, 7 d (of all threads).
	AnsweredWithin24h int      `json:"answeredWithin24h"`
	Within            []Within `json:"within"`
	// FirstResponse is over answered threads alone; FirstResponseAll over all of them.
	FirstResponse    Quantiles `json:"firstResponse"`
	FirstResponseAll Quantiles `json:"firstResponseAll"`
	// FirstMemberAnswer counts threads with an answer by somebody of no company; the same as Answered where no parties
	// are declared.
	AnsweredByMember int `json:"answeredByMember"`
	// Solvable is whether answers can be accepted at all; where they cannot, solved is not measurable.
	Solvable       bool `json:"solvable"`
	Solved         int  `json:"solved"`
	SolvedByAsker  int  `json:"solvedByAsker"`
	SolvedByOthers int  `json:"solvedByOthers"`
	// Answerers is how many people gave a first response; TopThree how many of them the three most active gave.
	Answerers int `json:"answerers"`
	TopThree  int `json:"topThree"`
}

// Within is how many threads had their first response within a time.
type Within struct {
	Hours   int `json:"hours"`
	Threads int `json:"threads"`
}

// Quantiles in seconds: the median (the middle value, or the mean of the two middle ones) and the 90th percentile by
// nearest rank. Null stands for never.
type Quantiles struct {
	P50Seconds *float64 `json:"p50Seconds"`
	P90Seconds *float64 `json:"p90Seconds"`
}

// nearestRank gives the quantile of sorted milliseconds among n values, of which the missing ones are infinite.
func nearestRank(sorted []int64, n int, q int) *float64 {
	if n == 0 {
		return nil
	}
	i := (n*q+99)/100 - 1
	if i >= len(sorted) {
		return nil
	}
	s := float64(sorted[i]) / 1000
	return &s
}

// median gives the middle of n sorted milliseconds, of which those missing at the end are infinite.
func median(sorted []int64, n int) *float64 {
	hi := n / 2
	if n == 0 || hi >= len(sorted) {
		return nil
	}
	s := float64(sorted[hi]) / 1000
	if n%2 == 0 {
		s = (s + float64(sorted[hi-1])/1000) / 2
	}
	return &s
}

// Summarise works out the summary of everything in a ledger.
func Summarise(ctx context.Context, db *sql.DB, since time.Time) (Summary, error) {
	var s Summary
	from := int64(0)
	if !since.IsZero() {
		from = since.UnixMilli()
	}
	var took []int64
	answerers := map[int64]int{}
	err := each(ctx, db, func(rs *sql.Rows) error {
		var opened, first, member, asker, solution, solver, by int64
		var solvable bool
		if err := rs.Scan(&opened, &first, &member, &asker, &solution, &solver, &by, &solvable); err != nil {
			return err
		}
		s.Threads++
		s.Solvable = s.Solvable || solvable || solution != 0
		if member != 0 {
			s.AnsweredByMember++
		}
		if first != 0 {
			took = append(took, first-opened)
			answerers[by]++
		}
		switch {
		case solution == 0:
		case solver == asker:
			s.SolvedByAsker++
		default:
			s.SolvedByOthers++
		}
		return nil
	}, `SELECT t.opened, t.first_at, t.first_member_at, t.asker, t.solution, t.solver, coalesce(m.author, 0),
		coalesce(json_extract(t.doc, '$.solvable'), 0) FROM threads t LEFT JOIN messages m ON m.n = json_extract(t.doc, '$.first')
		WHERE t.visible AND t.opened >= ?`, from)
	if err != nil {
		return s, err
	}
	if err := db.QueryRowContext(ctx, `SELECT count(*), count(DISTINCT author) FROM messages m JOIN threads t ON t.n = m.thread
		WHERE t.visible AND t.opened >= ? AND m.flags & 24 = 0`, from).Scan(&s.Messages, &s.Authors); err != nil {
		return s, fmt.Errorf("count messages: %w", err)
	}
	slices.Sort(took)
	s.Answered, s.Unanswered, s.Solved = len(took), s.Threads-len(took), s.SolvedByAsker+s.SolvedByOthers
	for _, le := range Bounds {
		n, _ := slices.BinarySearch(took, le.Milliseconds()+1)
		s.Within = append(s.Within, Within{int(le.Hours()), n})
		if le == 24*time.Hour {
			s.AnsweredWithin24h = n
		}
	}
	s.FirstResponse = Quantiles{median(took, len(took)), nearestRank(took, len(took), 90)}
	s.FirstResponseAll = Quantiles{median(took, s.Threads), nearestRank(took, s.Threads, 90)}
	s.Answerers = len(answerers)
	counts := make([]int, 0, len(answerers))
	for _, n := range answerers {
		counts = append(counts, n)
	}
	slices.SortFunc(counts, func(a, b int) int { return b - a })
	for _, n := range counts[:min(3, len(counts))] {
		s.TopThree += n
	}
	return s, nil
}

func each(ctx context.Context, db *sql.DB, scan func(*sql.Rows) error, query string, args ...any) error {
	rs, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("read the ledger: %w", err)
	}
	defer func() { _ = rs.Close() }() // its error shows in rs.Err
	for rs.Next() {
		if err := scan(rs); err != nil {
			return fmt.Errorf("read a ledger row: %w", err)
		}
	}
	return rs.Err()
}
