// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_STORE_ETCD_REPORT_H_
#define FEATHERID_SERVER_STORE_ETCD_REPORT_H_

#include <vector>

#include "lib/store/etcd/cluster_report.h"
#include "server/store/stores.h"

namespace featherid {

// What could lose or stop ids in a cluster whose members say this.
std::vector<Finding> examine_cluster(const EtcdClusterReport& report);

// Which members wrote nothing to their disks between the two reports, while leases were granted.
std::vector<Finding> examine_disks(const EtcdClusterReport& before, const EtcdClusterReport& after);

}  // namespace featherid

#endif  // FEATHERID_SERVER_STORE_ETCD_REPORT_H_
