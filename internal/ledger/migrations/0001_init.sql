-- +goose Up
-- Times are Unix milliseconds. "Recorded" tables are the truth; "derived" tables can be rebuilt from them.

-- recorded
CREATE TABLE channels (
  n INTEGER PRIMARY KEY,
  platform TEXT NOT NULL, instance TEXT NOT NULL, account TEXT NOT NULL,
  name TEXT NOT NULL,              -- the resource's name now
  live_from INTEGER NOT NULL,      -- first acquired; what is older is imported
  since INTEGER NOT NULL,          -- horizon of history, resolved once (0: everything)
  history INTEGER NOT NULL,        -- 0 reading, 1 being processed, 2 complete
  from_beginning INTEGER NOT NULL, -- history reaches the channel's first message
  watermark INTEGER NOT NULL,      -- read and processed up to here
  pending_watermark INTEGER NOT NULL, -- completeThrough said while history was not complete
  epoch INTEGER NOT NULL, holder TEXT NOT NULL,
  dropped_old INTEGER NOT NULL DEFAULT 0, -- observations beyond the retention horizon
  quarantined INTEGER NOT NULL DEFAULT 0,
  UNIQUE (platform, instance, account)
);
CREATE TABLE cursors (
  channel INTEGER NOT NULL, lane TEXT NOT NULL, cursor TEXT NOT NULL, done INTEGER NOT NULL, complete_through INTEGER NOT NULL,
  PRIMARY KEY (channel, lane)
) WITHOUT ROWID;
CREATE TABLE staged (
  n INTEGER PRIMARY KEY, channel INTEGER NOT NULL, at INTEGER NOT NULL, rank INTEGER NOT NULL, ident TEXT NOT NULL,
  author BLOB, doc BLOB NOT NULL,
  UNIQUE (channel, rank, ident)
);
CREATE INDEX staged_order ON staged (channel, at, rank, ident);
CREATE TABLE blueprints (digest TEXT PRIMARY KEY, doc BLOB NOT NULL, engine TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE events (
  seq INTEGER PRIMARY KEY,
  channel INTEGER NOT NULL, kind INTEGER NOT NULL, native TEXT NOT NULL, revision INTEGER NOT NULL,
  at INTEGER NOT NULL, observed INTEGER NOT NULL, flags INTEGER NOT NULL,
  thread INTEGER NOT NULL, message INTEGER NOT NULL, author INTEGER NOT NULL, actor INTEGER NOT NULL,
  data TEXT NOT NULL, facts TEXT NOT NULL
);
CREATE UNIQUE INDEX events_identity ON events (channel, kind, native, revision);
CREATE INDEX events_thread ON events (thread) WHERE kind > 1;
CREATE TABLE marks (seq INTEGER PRIMARY KEY, channel INTEGER NOT NULL, up_to INTEGER NOT NULL);
CREATE TABLE verdicts (
  position INTEGER NOT NULL, event INTEGER NOT NULL, behaviour TEXT NOT NULL, part INTEGER NOT NULL, holds INTEGER NOT NULL,
  PRIMARY KEY (position, event, behaviour, part)
) WITHOUT ROWID;
CREATE TABLE members (
  n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, status INTEGER NOT NULL -- 0 known, 1 erased, 2 objected
);
CREATE TABLE identities (
  n INTEGER PRIMARY KEY, member INTEGER NOT NULL, channel INTEGER NOT NULL,
  lookup BLOB NOT NULL, key_id TEXT NOT NULL, wrapped BLOB NOT NULL, sealed BLOB NOT NULL,
  UNIQUE (channel, lookup)
);
CREATE INDEX identities_member ON identities (member);
CREATE TABLE blocked (channel INTEGER NOT NULL, lookup BLOB NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (channel, lookup)) WITHOUT ROWID;
CREATE TABLE texts (message INTEGER PRIMARY KEY, at INTEGER NOT NULL, text TEXT NOT NULL);
CREATE INDEX texts_at ON texts (at);
CREATE TABLE titles (thread INTEGER PRIMARY KEY, at INTEGER NOT NULL, text TEXT NOT NULL);
CREATE TABLE setaside (
  n INTEGER PRIMARY KEY, channel INTEGER NOT NULL, ident TEXT NOT NULL, what TEXT NOT NULL, doc BLOB NOT NULL,
  error TEXT NOT NULL, attempts INTEGER NOT NULL, at INTEGER NOT NULL,
  UNIQUE (channel, what, ident)
);
-- counters: raised by the live pipeline alone, never by a rebuild
CREATE TABLE counters (
  name TEXT NOT NULL, channel INTEGER NOT NULL, behaviour TEXT NOT NULL, level TEXT NOT NULL, segment TEXT NOT NULL,
  value INTEGER NOT NULL, PRIMARY KEY (name, channel, behaviour, level, segment)
) WITHOUT ROWID;
CREATE TABLE people (
  channel INTEGER NOT NULL, behaviour TEXT NOT NULL, label TEXT NOT NULL, member INTEGER NOT NULL,
  PRIMARY KEY (channel, behaviour, label, member)
) WITHOUT ROWID;
CREATE TABLE folded (member INTEGER PRIMARY KEY, messages INTEGER NOT NULL, first_at INTEGER NOT NULL, last_at INTEGER NOT NULL);
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- derived
CREATE TABLE threads (
  n INTEGER PRIMARY KEY, channel INTEGER NOT NULL, native TEXT NOT NULL,
  opened INTEGER NOT NULL, last_at INTEGER NOT NULL, asker INTEGER NOT NULL,
  question INTEGER NOT NULL, visible INTEGER NOT NULL,
  first_at INTEGER NOT NULL, first_party TEXT NOT NULL, first_member_at INTEGER NOT NULL,
  solution INTEGER NOT NULL, solver INTEGER NOT NULL, views INTEGER NOT NULL, doc TEXT NOT NULL
);
CREATE UNIQUE INDEX threads_native ON threads (channel, native);
CREATE INDEX threads_opened ON threads (channel, opened);
CREATE TABLE messages (
  n INTEGER PRIMARY KEY, channel INTEGER NOT NULL, native TEXT NOT NULL, thread INTEGER NOT NULL,
  author INTEGER NOT NULL, at INTEGER NOT NULL, seq INTEGER NOT NULL, parent INTEGER NOT NULL,
  flags INTEGER NOT NULL, revision INTEGER NOT NULL, hash INTEGER NOT NULL, missing INTEGER NOT NULL,
  reactions TEXT NOT NULL, revisions TEXT NOT NULL
);
CREATE UNIQUE INDEX messages_native ON messages (channel, native);
CREATE INDEX messages_thread ON messages (thread, at);
CREATE TABLE stats (
  member INTEGER PRIMARY KEY, prior INTEGER, messages INTEGER NOT NULL, first_at INTEGER NOT NULL, last_at INTEGER NOT NULL,
  joined INTEGER NOT NULL, bot INTEGER NOT NULL, domain TEXT NOT NULL, roles TEXT NOT NULL, days BLOB, revision INTEGER NOT NULL
);
CREATE TABLE refs (
  channel INTEGER NOT NULL, native TEXT NOT NULL, message INTEGER NOT NULL, author INTEGER NOT NULL,
  PRIMARY KEY (channel, native, message)
) WITHOUT ROWID;
CREATE TABLE reactors (message INTEGER NOT NULL, name TEXT NOT NULL, member INTEGER NOT NULL, PRIMARY KEY (message, name, member)) WITHOUT ROWID;
CREATE TABLE occurrences (
  n INTEGER PRIMARY KEY, behaviour TEXT NOT NULL, generation TEXT NOT NULL, channel INTEGER NOT NULL,
  thread INTEGER NOT NULL, message INTEGER NOT NULL, seq INTEGER NOT NULL, basis INTEGER NOT NULL,
  credit INTEGER NOT NULL, benefits INTEGER NOT NULL,
  level TEXT NOT NULL, party TEXT NOT NULL, segment TEXT NOT NULL,
  benefits_level TEXT NOT NULL, benefits_party TEXT NOT NULL, benefits_segment TEXT NOT NULL,
  arose INTEGER NOT NULL, at INTEGER NOT NULL, due INTEGER NOT NULL,
  state INTEGER NOT NULL, imported INTEGER NOT NULL, counted_as TEXT NOT NULL, key TEXT NOT NULL
);
CREATE INDEX occurrences_arose ON occurrences (behaviour, arose);
CREATE INDEX occurrences_thread ON occurrences (thread);
CREATE INDEX occurrences_key ON occurrences (behaviour, key);
CREATE TABLE timers (
  n INTEGER PRIMARY KEY, channel INTEGER NOT NULL, due INTEGER NOT NULL, kind INTEGER NOT NULL,
  thread INTEGER NOT NULL, message INTEGER NOT NULL, occurrence INTEGER NOT NULL, after INTEGER NOT NULL, behaviour TEXT NOT NULL
);
CREATE INDEX timers_due ON timers (channel, due, n);
CREATE TABLE buckets (
  name TEXT NOT NULL, channel INTEGER NOT NULL, le INTEGER NOT NULL, value INTEGER NOT NULL, PRIMARY KEY (name, channel, le)
) WITHOUT ROWID;

-- +goose Down
SELECT 1;
