-- SPDX-License-Identifier: MIT
-- Changes nothing that exists.
CREATE TABLE IF NOT EXISTS id_segments (
  biz_tag varchar(64) NOT NULL PRIMARY KEY,
  max_id bigint NOT NULL DEFAULT 0,
  step integer NOT NULL DEFAULT 1000,
  update_time timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP
);
INSERT INTO id_segments (biz_tag, max_id, step) VALUES
  ('user', 0, 1000), ('order', 0, 1000), ('health', 0, 1000)
  ON CONFLICT DO NOTHING;
-- Which server leads id_segments; one row. Its term is the number of leaders so far * 2^32 + random bits
-- of the last one; 0: none yet.
CREATE TABLE IF NOT EXISTS id_leader (
  id smallint NOT NULL PRIMARY KEY,
  server varchar(255) NOT NULL,
  term bigint NOT NULL
);
INSERT INTO id_leader (id, server, term) VALUES (1, '', 0) ON CONFLICT DO NOTHING;
