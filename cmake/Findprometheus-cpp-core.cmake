# SPDX-License-Identifier: MIT
# Finds the core of prometheus-cpp as prometheus-cpp::core, by pkg-config: its CMake package also requires
# civetweb and curl, which only its other parts use.
include(FindPackageHandleStandardArgs)

find_package(PkgConfig QUIET)
if(PkgConfig_FOUND)
  pkg_check_modules(prometheus_cpp_core_pc QUIET IMPORTED_TARGET prometheus-cpp-core)
endif()
if(TARGET PkgConfig::prometheus_cpp_core_pc AND NOT TARGET prometheus-cpp::core)
  add_library(prometheus-cpp::core INTERFACE IMPORTED)
  target_link_libraries(prometheus-cpp::core INTERFACE PkgConfig::prometheus_cpp_core_pc)
endif()
find_package_handle_standard_args(prometheus-cpp-core REQUIRED_VARS prometheus_cpp_core_pc_FOUND
  REASON_FAILURE_MESSAGE "install prometheus-cpp: on Debian prometheus-cpp-dev and pkg-config")
