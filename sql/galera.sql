-- SPDX-License-Identifier: MIT
-- On a Galera cluster, after mysql.sql. Changes nothing that exists.
-- Which terms of id_leader a node has lived in. The rows of a MEMORY table stay on the node that wrote them and
-- end with its process: a cluster that has them on no node has died as a whole, and may lack its last leases.
CREATE TABLE IF NOT EXISTS `id_mark` (
  `term` bigint NOT NULL,
  PRIMARY KEY (`term`)
) ENGINE=MEMORY COMMENT='FeatherID: failover guard of a Galera cluster';
