-- SPDX-License-Identifier: MIT
-- Only for a Galera cluster; run it after mysql.sql. Changes nothing that exists.
-- The terms of id_leader during which a node was up. The rows of a MEMORY table stay on the node that wrote them
-- and disappear with its process. If no node has them, the cluster has died as a whole and may lack its last leases.
CREATE TABLE IF NOT EXISTS `id_mark` (
  `term` bigint NOT NULL,
  PRIMARY KEY (`term`)
) ENGINE=MEMORY COMMENT='FeatherID: failover guard of a Galera cluster';
