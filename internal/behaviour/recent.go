// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package behaviour

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/ledger"
)

// RecentWindow is what Recent looks at.
const RecentWindow = 28 * 24 * time.Hour

// Recent counts, for each behaviour of a blueprint, the cases of the last four weeks that counted, history included: the
// four weeks before the watermark of each channel that has been read completely. A behaviour is absent where its cases
// are about fewer people than the minimum group size; all are where no channel has been read.
func Recent(ctx context.Context, db *sql.DB, bp *blueprint.Blueprint) (map[string]int64, error) {
	reading, err := readings(ctx, db, bp)
	if err != nil {
		return nil, err
	}
	complete := false
	for _, r := range reading {
		complete = complete || r.complete
	}
	if !complete {
		return nil, nil
	}
	out := make(map[string]int64, len(bp.Behaviours))
	for i := range bp.Behaviours {
		name := bp.Behaviours[i].Name
		cases, people, err := recent(ctx, db, name, reading)
		if err != nil {
			return nil, fmt.Errorf("behaviour %s: %w", name, err)
		}
		if cases == 0 || len(people) >= bp.Privacy.MinimumGroupSize {
			out[name] = cases
		}
	}
	return out, nil
}

// recent counts the cases of one behaviour, and finds whom they are about: who is credited, else who benefits, else who
// opened the thread.
func recent(ctx context.Context, db *sql.DB, name string, reading []reading) (cases int64, people map[int64]bool, err error) {
	people = map[int64]bool{}
	for _, r := range reading {
		if !r.complete {
			continue
		}
		err := each(ctx, db, func(rs *sql.Rows) error {
			var n, member int64
			if err := rs.Scan(&member, &n); err != nil {
				return err
			}
			cases += n
			meet(people, member)
			return nil
		}, `SELECT CASE WHEN o.credit != 0 THEN o.credit WHEN o.benefits != 0 THEN o.benefits ELSE coalesce(t.asker, 0) END AS whose, count(*)
			FROM occurrences o LEFT JOIN threads t ON t.n = o.thread
			WHERE o.behaviour = ? AND o.arose > ? AND o.arose <= ? AND o.channel = ? AND o.state = ? GROUP BY whose`,
			name, r.watermark-RecentWindow.Milliseconds(), r.watermark, r.n, ledger.Counted)
		if err != nil {
			return 0, nil, err
		}
	}
	return cases, people, nil
}
