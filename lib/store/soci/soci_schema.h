// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_SOCI_SOCI_SCHEMA_H_
#define FEATHERID_LIB_STORE_SOCI_SOCI_SCHEMA_H_

namespace featherid {

// The files of sql/, put into the library by lib/store/soci/CMakeLists.txt.
extern const char kMysqlSchema[];
extern const char kGaleraSchema[];  // beside MySQL's
extern const char kPostgresqlSchema[];
extern const char kSqlite3Schema[];

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_SOCI_SOCI_SCHEMA_H_
