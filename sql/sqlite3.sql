-- SPDX-License-Identifier: MIT
-- Changes nothing that exists.
CREATE TABLE IF NOT EXISTS id_segments (
  biz_tag varchar(64) NOT NULL PRIMARY KEY,
  max_id bigint NOT NULL DEFAULT 0,
  step int NOT NULL DEFAULT 1000,
  update_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP
);
INSERT OR IGNORE INTO id_segments (biz_tag, max_id, step) VALUES
  ('user', 0, 1000), ('order', 0, 1000), ('health', 0, 1000);
