-- A ledger is told from another one in its place by a random id, which backups keep.
-- +goose Up
INSERT INTO meta (key, value) VALUES ('id', lower(hex(randomblob(16)))) ON CONFLICT DO NOTHING;

-- +goose Down
DELETE FROM meta WHERE key = 'id';
