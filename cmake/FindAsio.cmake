# SPDX-License-Identifier: MIT
# Finds the standalone Asio (headers only) as Asio::asio.
include(FindPackageHandleStandardArgs)

find_path(Asio_INCLUDE_DIR asio.hpp)
mark_as_advanced(Asio_INCLUDE_DIR)
find_package_handle_standard_args(Asio REQUIRED_VARS Asio_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "install the standalone Asio: on Debian libasio-dev")

if(Asio_FOUND AND NOT TARGET Asio::asio)
  find_package(Threads REQUIRED)
  add_library(Asio::asio INTERFACE IMPORTED)
  target_include_directories(Asio::asio SYSTEM INTERFACE ${Asio_INCLUDE_DIR})
  # Whether Asio sees std::aligned_alloc depends on what a file includes before it. Files that differ in this
  # would free each other's memory the wrong way.
  target_compile_definitions(Asio::asio INTERFACE
    ASIO_STANDALONE ASIO_NO_DEPRECATED ASIO_DISABLE_STD_ALIGNED_ALLOC)
  target_link_libraries(Asio::asio INTERFACE Threads::Threads)
endif()
