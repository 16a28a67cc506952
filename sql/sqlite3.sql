-- SPDX-License-Identifier: MIT
-- Changes nothing that exists.
CREATE TABLE IF NOT EXISTS id_segments (
  biz_tag varchar(64) NOT NULL PRIMARY KEY,
  max_id bigint NOT NULL DEFAULT 0,
  step int NOT NULL DEFAULT 1000,
  update_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP
);
-- Options of tags; rows are optional. The row with an empty biz_tag counts the changes.
-- version: the number of the last change; recalled: of the last one that made processes drop held ids.
-- cap: no lease passes it; NULL: none. removed_max_id: max_id when the tag was removed; NULL: it exists.
-- strict: 1 if the ids are in strict order. format, scramble: how ids are written as text.
-- The times are Unix times, in seconds.
-- floor_rate: time floor, in ids per second; 0: none. floor_lead_max: how far leases may be ahead of it, in
-- seconds; floor_only_warns, 1: further, after a warning. floor_since: ids up to it were leased before the
-- floor was as it is.
-- period_kind: ids begin again each 1: day, 2: month, 3: year; 0: never. period_offset: of its midnight from
-- UTC, in minutes. period_gone: periods up to it have no row any more, such as 20261129. period_failovers,
-- period_lost_at: how many failovers are noted here, and when the last one was, in ms of Unix time.
CREATE TABLE IF NOT EXISTS id_tags (
  biz_tag varchar(64) NOT NULL PRIMARY KEY,
  version bigint NOT NULL,
  recalled bigint NOT NULL DEFAULT 0,
  cap bigint,
  removed_max_id bigint,
  description varchar(255) NOT NULL DEFAULT '',
  owner varchar(255) NOT NULL DEFAULT '',
  created_by varchar(255) NOT NULL DEFAULT '',
  created_at bigint NOT NULL DEFAULT 0,
  changed_by varchar(255) NOT NULL DEFAULT '',
  changed_at bigint NOT NULL DEFAULT 0,
  strict smallint NOT NULL DEFAULT 0,
  format varchar(256) NOT NULL DEFAULT '',
  scramble varchar(16) NOT NULL DEFAULT '',
  floor_rate bigint NOT NULL DEFAULT 0,
  floor_epoch bigint NOT NULL DEFAULT 0,
  floor_lead_max bigint NOT NULL DEFAULT 10,
  floor_only_warns smallint NOT NULL DEFAULT 0,
  floor_since bigint NOT NULL DEFAULT 0,
  period_kind smallint NOT NULL DEFAULT 0,
  period_offset smallint NOT NULL DEFAULT 0,
  period_gone bigint NOT NULL DEFAULT 0,
  period_failovers bigint NOT NULL DEFAULT 0,
  period_lost_at bigint NOT NULL DEFAULT 0
);
INSERT OR IGNORE INTO id_tags (biz_tag, version) VALUES ('', 0);
-- The first tags. A tag that was removed is not made again: its ids would start at 1.
INSERT OR IGNORE INTO id_segments (biz_tag, max_id, step)
  SELECT 'user', 0, 1000 WHERE NOT EXISTS (SELECT 1 FROM id_tags WHERE biz_tag = 'user');
INSERT OR IGNORE INTO id_segments (biz_tag, max_id, step)
  SELECT 'order', 0, 1000 WHERE NOT EXISTS (SELECT 1 FROM id_tags WHERE biz_tag = 'order');
INSERT OR IGNORE INTO id_segments (biz_tag, max_id, step)
  SELECT 'health', 0, 1000 WHERE NOT EXISTS (SELECT 1 FROM id_tags WHERE biz_tag = 'health');
