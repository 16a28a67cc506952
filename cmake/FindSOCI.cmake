# SPDX-License-Identifier: MIT
# Finds SOCI as SOCI::soci_core and, for each driver that is there, SOCI::soci_mysql, SOCI::soci_postgresql
# and SOCI::soci_sqlite3. Uses SOCI's own CMake package (4.0: SOCI::soci_core, 4.1: SOCI::Core) if possible,
# and otherwise looks for the files. Debian's 4.0 has no such package. 4.1's package also makes targets that
# link Boost, even if there is no Boost; they are not used here. A driver's target also links the engine's own
# client library, whose headers SOCI's headers include.
include(FindPackageHandleStandardArgs)

find_package(SOCI CONFIG QUIET)
# 4.0, and Conan's package of it, have other names for static libraries.
foreach(name core mysql postgresql sqlite3)
  if(TARGET SOCI::soci_${name}_static AND NOT TARGET SOCI::soci_${name})
    add_library(SOCI::soci_${name} INTERFACE IMPORTED)
    target_link_libraries(SOCI::soci_${name} INTERFACE SOCI::soci_${name}_static)
  endif()
endforeach()
if(SOCI_FOUND AND TARGET SOCI::Core AND NOT TARGET SOCI::soci_core)
  add_library(SOCI::soci_core INTERFACE IMPORTED)
  target_link_libraries(SOCI::soci_core INTERFACE SOCI::Core)
endif()

if(TARGET SOCI::soci_core)
  set(SOCI_LIBRARY SOCI::soci_core)
else()
  find_path(SOCI_INCLUDE_DIR soci/soci.h)
  find_library(SOCI_LIBRARY soci_core)
  mark_as_advanced(SOCI_INCLUDE_DIR SOCI_LIBRARY)
  if(SOCI_INCLUDE_DIR AND SOCI_LIBRARY)
    add_library(SOCI::soci_core UNKNOWN IMPORTED)
    set_target_properties(SOCI::soci_core PROPERTIES
      IMPORTED_LOCATION ${SOCI_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${SOCI_INCLUDE_DIR})
  endif()
endif()

# _featherid_find_soci_driver(mysql MySQL mysql.h "folders" "libraries")
function(_featherid_find_soci_driver engine name_of_4_1 header folders libraries)
  find_path(SOCI_${engine}_CLIENT_INCLUDE_DIR ${header} PATH_SUFFIXES ${folders})
  find_library(SOCI_${engine}_CLIENT_LIBRARY NAMES ${libraries})
  find_library(SOCI_${engine}_LIBRARY soci_${engine})
  mark_as_advanced(SOCI_${engine}_CLIENT_INCLUDE_DIR SOCI_${engine}_CLIENT_LIBRARY
                   SOCI_${engine}_LIBRARY)
  if(SOCI_FOUND AND TARGET SOCI::${name_of_4_1})
    set(driver SOCI::${name_of_4_1})
  else()
    set(driver ${SOCI_${engine}_LIBRARY})
  endif()
  if(TARGET SOCI::soci_${engine} OR NOT driver OR NOT SOCI_${engine}_CLIENT_INCLUDE_DIR
     OR NOT SOCI_${engine}_CLIENT_LIBRARY)
    return()
  endif()
  add_library(SOCI::soci_${engine} INTERFACE IMPORTED)
  target_link_libraries(SOCI::soci_${engine} INTERFACE
    ${driver} SOCI::soci_core ${SOCI_${engine}_CLIENT_LIBRARY})
  target_include_directories(SOCI::soci_${engine} SYSTEM INTERFACE
    ${SOCI_${engine}_CLIENT_INCLUDE_DIR})
endfunction()

if(TARGET SOCI::soci_core)
  _featherid_find_soci_driver(mysql MySQL mysql.h "mariadb;mysql" "mariadb;mysqlclient")
  _featherid_find_soci_driver(postgresql PostgreSQL libpq-fe.h "postgresql" "pq")
  _featherid_find_soci_driver(sqlite3 SQLite3 sqlite3.h "" "sqlite3")
endif()

find_package_handle_standard_args(SOCI
  REQUIRED_VARS SOCI_LIBRARY
  REASON_FAILURE_MESSAGE "install SOCI: on Debian libsoci-dev, with libmariadb-dev, libpq-dev and \
libsqlite3-dev")
