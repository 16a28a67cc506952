# SPDX-License-Identifier: MIT
# Finds cpp-httplib as httplib::httplib: by its own CMake package, or by pkg-config, as Debian 12 has it.
include(FindPackageHandleStandardArgs)

find_package(httplib CONFIG QUIET)
if(NOT TARGET httplib::httplib)
  find_package(PkgConfig QUIET)
  if(PkgConfig_FOUND)
    # The shared library was compiled with its flags, and this program must use the same.
    pkg_check_modules(httplib_pc QUIET IMPORTED_TARGET cpp-httplib)
  endif()
  if(TARGET PkgConfig::httplib_pc)
    add_library(httplib::httplib INTERFACE IMPORTED)
    target_link_libraries(httplib::httplib INTERFACE PkgConfig::httplib_pc)
  endif()
endif()

if(TARGET httplib::httplib)
  set(httplib_TARGET httplib::httplib)
endif()
find_package_handle_standard_args(httplib REQUIRED_VARS httplib_TARGET
  REASON_FAILURE_MESSAGE "install cpp-httplib: on Debian libcpp-httplib-dev and pkg-config")
