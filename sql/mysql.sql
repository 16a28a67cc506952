-- SPDX-License-Identifier: MIT
-- Changes nothing that exists.
CREATE TABLE IF NOT EXISTS `id_segments` (
  `biz_tag` varchar(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL COMMENT '业务标识',
  `max_id` bigint NOT NULL DEFAULT '0' COMMENT '当前最大ID值',
  `step` int NOT NULL DEFAULT '1000' COMMENT '号段步长',
  `update_time` timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP COMMENT '更新时间',
  PRIMARY KEY (`biz_tag`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='ID号段表';
CREATE TABLE IF NOT EXISTS `id_leader` (
  `id` tinyint NOT NULL COMMENT 'always 1: one row',
  `server` varchar(255) COLLATE utf8mb4_bin NOT NULL COMMENT 'the server that leads the ids',
  `term` bigint NOT NULL COMMENT 'number of leaders so far * 2^32 + random bits of the last; 0: none yet',
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='FeatherID: failover guard';
INSERT IGNORE INTO `id_leader` (`id`, `server`, `term`) VALUES (1, '', 0);
CREATE TABLE IF NOT EXISTS `id_tags` (
  `biz_tag` varchar(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL COMMENT 'empty: the row that counts changes',
  `version` bigint NOT NULL COMMENT 'number of the last change',
  `recalled` bigint NOT NULL DEFAULT '0' COMMENT 'number of the last change that made processes drop held ids',
  `cap` bigint DEFAULT NULL COMMENT 'no lease passes it; NULL: none',
  `removed_max_id` bigint DEFAULT NULL COMMENT 'max_id when the tag was removed; NULL: it exists',
  `description` varchar(255) CHARACTER SET utf8mb4 NOT NULL DEFAULT '',
  `owner` varchar(255) CHARACTER SET utf8mb4 NOT NULL DEFAULT '',
  `created_by` varchar(255) CHARACTER SET utf8mb4 NOT NULL DEFAULT '',
  `created_at` bigint NOT NULL DEFAULT '0' COMMENT 'Unix time, in seconds',
  `changed_by` varchar(255) CHARACTER SET utf8mb4 NOT NULL DEFAULT '',
  `changed_at` bigint NOT NULL DEFAULT '0' COMMENT 'Unix time, in seconds',
  `strict` smallint NOT NULL DEFAULT '0' COMMENT '1: ids in strict order',
  `format` varchar(256) CHARACTER SET utf8mb4 NOT NULL DEFAULT '' COMMENT 'how ids are written as text',
  `scramble` varchar(16) CHARACTER SET utf8mb4 NOT NULL DEFAULT '' COMMENT 'in which domain, before that',
  `floor_rate` bigint NOT NULL DEFAULT '0' COMMENT 'time floor, ids per second; 0: none',
  `floor_epoch` bigint NOT NULL DEFAULT '0' COMMENT 'Unix time at which the floor was 0, in seconds',
  `floor_lead_max` bigint NOT NULL DEFAULT '10' COMMENT 'how far leases may be ahead of the floor, in seconds',
  `floor_only_warns` smallint NOT NULL DEFAULT '0' COMMENT '1: they may be further ahead, after a warning',
  `floor_since` bigint NOT NULL DEFAULT '0' COMMENT 'ids up to it were leased before the floor was as it is',
  `period_kind` smallint NOT NULL DEFAULT '0' COMMENT 'ids begin again each 1: day, 2: month, 3: year; 0: never',
  `period_offset` smallint NOT NULL DEFAULT '0' COMMENT 'of its midnight from UTC, in minutes',
  `period_gone` bigint NOT NULL DEFAULT '0' COMMENT 'periods up to it have no row any more, such as 20261129',
  `period_failovers` bigint NOT NULL DEFAULT '0' COMMENT 'how many failovers are noted here',
  `period_lost_at` bigint NOT NULL DEFAULT '0' COMMENT 'when the last of them was, in ms of Unix time',
  PRIMARY KEY (`biz_tag`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='FeatherID: options of tags; rows are optional';
INSERT IGNORE INTO `id_tags` (`biz_tag`, `version`) VALUES ('', 0);
-- The first tags. A tag that was removed is not made again: its ids would start at 1.
INSERT IGNORE INTO `id_segments` (`biz_tag`, `max_id`, `step`)
  SELECT 'user', 0, 1000 FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM `id_tags` WHERE `biz_tag` = 'user');
INSERT IGNORE INTO `id_segments` (`biz_tag`, `max_id`, `step`)
  SELECT 'order', 0, 1000 FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM `id_tags` WHERE `biz_tag` = 'order');
INSERT IGNORE INTO `id_segments` (`biz_tag`, `max_id`, `step`)
  SELECT 'health', 0, 1000 FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM `id_tags` WHERE `biz_tag` = 'health');
