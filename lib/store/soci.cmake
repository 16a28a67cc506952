# SPDX-License-Identifier: MIT
# FeatherID::soci, the stores over SOCI. If the driver of an engine is not found, a message says so and the
# engine is left out.
find_package(SOCI REQUIRED)

foreach(engine mysql galera postgresql sqlite3)
  string(TOUPPER ${engine} name)
  set(schema ${PROJECT_SOURCE_DIR}/sql/${engine}.sql)
  file(READ ${schema} FEATHERID_${name}_SCHEMA)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${schema})
endforeach()
configure_file(${CMAKE_CURRENT_LIST_DIR}/soci_schema.cpp.in
               ${PROJECT_BINARY_DIR}/lib/store/soci_schema.cpp @ONLY)

add_library(featherid_soci
  store/address_choice.cpp store/conflict_count.cpp store/database_url.cpp store/login_source.cpp
  store/secret_file.cpp store/soci_connector.cpp store/soci_cluster_mark.cpp store/soci_dialect.cpp
  store/soci_errors.cpp store/soci_leader_guard.cpp store/soci_session.cpp store/soci_session_pool.cpp
  store/soci_settings_guard.cpp store/soci_store.cpp store/sqlite3_file.cpp store/sqlite3_use.cpp
  store/table_names.cpp store/tls_options.cpp store/watchdog.cpp
  ${PROJECT_BINARY_DIR}/lib/store/soci_schema.cpp)
add_library(FeatherID::soci ALIAS featherid_soci)
featherid_target(featherid_soci)
target_include_directories(featherid_soci PRIVATE ${PROJECT_SOURCE_DIR})
target_link_libraries(featherid_soci PUBLIC featherid PRIVATE SOCI::soci_core ${CMAKE_DL_LIBS})
if(FEATHERID_SANITIZE STREQUAL "address")
  # SOCI hides the typeinfo of its session classes, which this check needs.
  set_source_files_properties(store/mysql_connect.cpp store/soci_session.cpp PROPERTIES
    COMPILE_OPTIONS -fno-sanitize=vptr)
endif()
foreach(engine mysql postgresql sqlite3)
  if(TARGET SOCI::soci_${engine})
    string(TOUPPER ${engine} name)
    target_link_libraries(featherid_soci PRIVATE SOCI::soci_${engine})
    target_compile_definitions(featherid_soci PRIVATE FEATHERID_SOCI_${name})
  else()
    message(STATUS "FeatherID::soci is built without ${engine}")
  endif()
endforeach()
set_target_properties(featherid_soci PROPERTIES EXPORT_NAME soci VERSION ${PROJECT_VERSION}
  SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
if(TARGET SOCI::soci_mysql)
  target_sources(featherid_soci PRIVATE store/mysql_connect.cpp)
endif()
if(TARGET SOCI::soci_postgresql)
  target_sources(featherid_soci PRIVATE store/postgresql_refusal.cpp)
endif()
