# SPDX-License-Identifier: MIT
# Install rules: libraries, headers, CMake package, pkg-config files, programs, alert rules and dashboard, schemas,
# licence.
include(CMakePackageConfigHelpers)

set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/FeatherID)

# The components are packages: libfeatherid, libfeatherid-dev, featherid-server, featherid.
set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME libfeatherid-dev)

# featherid_install_library(target export [argument...])
function(featherid_install_library target export)
  install(TARGETS ${target} EXPORT ${export} ${ARGN}
          LIBRARY COMPONENT libfeatherid NAMELINK_COMPONENT libfeatherid-dev
          ARCHIVE COMPONENT libfeatherid-dev)
endfunction()

# One export set for each component of the package, so that a consumer needs the dependencies of a component
# only if it asks for the component.
featherid_install_library(featherid FeatherID-core INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT FeatherID-core NAMESPACE FeatherID:: DESTINATION ${config_dir})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/featherid ${PROJECT_BINARY_DIR}/include/featherid
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h" PATTERN "soci_store.h" EXCLUDE PATTERN "http_store.h" EXCLUDE
        PATTERN "etcd_store.h" EXCLUDE PATTERN "id_scramble.h" EXCLUDE)

# What a consumer of libfeatherid_soci must link as well: nothing if it is shared, because it names its own
# dependencies.
set(soci_targets "")
set(soci_libs "")
if(FEATHERID_BUILD_SOCI AND NOT BUILD_SHARED_LIBS)
  get_target_property(soci_targets featherid_soci LINK_LIBRARIES)
  list(FILTER soci_targets INCLUDE REGEX "^SOCI::")
  foreach(target IN LISTS soci_targets)
    string(REGEX REPLACE "^SOCI::soci_" "" engine ${target})
    get_filename_component(client "${SOCI_${engine}_CLIENT_LIBRARY}" NAME_WE)
    string(REGEX REPLACE "^lib" " -l" client "${client}")
    string(PREPEND soci_libs " -lsoci_${engine}${client}")
  endforeach()
endif()

# The same for libfeatherid_http.
set(http_requires "")
if(FEATHERID_BUILD_HTTP AND NOT BUILD_SHARED_LIBS)
  set(http_requires ", cpp-httplib")
endif()

# The same for libfeatherid_etcd.
set(etcd_requires "")
if(FEATHERID_BUILD_ETCD AND NOT BUILD_SHARED_LIBS)
  set(etcd_requires ", featherid-http = ${PROJECT_VERSION}")
endif()

# The same for libfeatherid_scramble.
set(scramble_requires "")
if(FEATHERID_BUILD_SCRAMBLE AND NOT BUILD_SHARED_LIBS)
  set(scramble_requires ", libcrypto")
endif()

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/FeatherIDConfig.cmake.in FeatherIDConfig.cmake
                              INSTALL_DESTINATION ${config_dir})
write_basic_package_version_file(FeatherIDConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/FeatherIDConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/FeatherIDConfigVersion.cmake
        DESTINATION ${config_dir})

# featherid_install_pc(name): a pkg-config file that works wherever the prefix is moved.
function(featherid_install_pc name)
  file(RELATIVE_PATH pc_prefix ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
  string(REGEX REPLACE "/$" "" pc_prefix "${pc_prefix}")
  configure_file(${PROJECT_SOURCE_DIR}/cmake/${name}.pc.in ${name}.pc @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${name}.pc
          DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endfunction()
featherid_install_pc(featherid)

if(FEATHERID_BUILD_SOCI)
  featherid_install_library(featherid_soci FeatherID-soci)
  install(EXPORT FeatherID-soci NAMESPACE FeatherID:: DESTINATION ${config_dir})
  install(FILES ${PROJECT_SOURCE_DIR}/cmake/FindSOCI.cmake DESTINATION ${config_dir})
  install(FILES ${PROJECT_SOURCE_DIR}/include/featherid/soci_store.h
          DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/featherid)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/sql DESTINATION ${CMAKE_INSTALL_DATADIR}/featherid
          COMPONENT featherid FILES_MATCHING PATTERN "*.sql")
  featherid_install_pc(featherid-soci)
endif()

if(FEATHERID_BUILD_HTTP)
  featherid_install_library(featherid_http FeatherID-http)
  install(EXPORT FeatherID-http NAMESPACE FeatherID:: DESTINATION ${config_dir})
  install(FILES ${PROJECT_SOURCE_DIR}/cmake/Findhttplib.cmake DESTINATION ${config_dir})
  install(FILES ${PROJECT_SOURCE_DIR}/include/featherid/http_store.h
          DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/featherid)
  featherid_install_pc(featherid-http)
endif()

if(FEATHERID_BUILD_ETCD)
  featherid_install_library(featherid_etcd FeatherID-etcd)
  install(EXPORT FeatherID-etcd NAMESPACE FeatherID:: DESTINATION ${config_dir})
  install(FILES ${PROJECT_SOURCE_DIR}/include/featherid/etcd_store.h
          DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/featherid)
  featherid_install_pc(featherid-etcd)
endif()

if(FEATHERID_BUILD_SCRAMBLE)
  featherid_install_library(featherid_scramble FeatherID-scramble)
  install(EXPORT FeatherID-scramble NAMESPACE FeatherID:: DESTINATION ${config_dir})
  install(FILES ${PROJECT_SOURCE_DIR}/include/featherid/id_scramble.h
          DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/featherid)
  featherid_install_pc(featherid-scramble)
endif()

if(FEATHERID_BUILD_SERVER)
  set(FEATHERID_SERVICE_USER "" CACHE STRING
      "User of the systemd unit, which must exist. Empty: a user that systemd makes (DynamicUser)")
  if(FEATHERID_SERVICE_USER)
    set(service_user "User=${FEATHERID_SERVICE_USER}\nGroup=${FEATHERID_SERVICE_USER}")
  else()
    set(service_user "DynamicUser=yes")
  endif()
  set(pages ${PROJECT_BINARY_DIR}/cli)

  set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME featherid)
  install(TARGETS featherid_command)
  install(FILES ${pages}/featherid.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  set(completions ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
  install(FILES ${pages}/featherid.bash DESTINATION ${completions} RENAME featherid)
  install(FILES ${pages}/_featherid DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
  install(FILES ${pages}/featherid.fish
          DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)

  set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME featherid-server)
  install(TARGETS featherid_server)
  install(FILES ${pages}/featherid-server.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  install(FILES ${pages}/featherid.bash DESTINATION ${completions} RENAME featherid-server)
  # At install time, because the prefix is not certain before.
  install(CODE "
    set(bindir \"${CMAKE_INSTALL_BINDIR}\")
    set(service_user \"${service_user}\")
    configure_file(\"${PROJECT_SOURCE_DIR}/server/featherid-server.service.in\"
                   \"${CMAKE_CURRENT_BINARY_DIR}/featherid-server.service\" @ONLY)")
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/featherid-server.service
          DESTINATION lib/systemd/system)
  set(monitoring_dir ${PROJECT_SOURCE_DIR}/server/monitoring)
  install(FILES ${monitoring_dir}/alerts.yml ${monitoring_dir}/int32_alerts.yml
          DESTINATION ${CMAKE_INSTALL_DATADIR}/featherid/prometheus)
  install(FILES ${monitoring_dir}/dashboard.json
          DESTINATION ${CMAKE_INSTALL_DATADIR}/featherid/grafana)
endif()

set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME featherid)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs ${PROJECT_SOURCE_DIR}/examples
        DESTINATION ${CMAKE_INSTALL_DOCDIR})
foreach(page README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md)
  install(FILES ${PROJECT_SOURCE_DIR}/${page} DESTINATION ${CMAKE_INSTALL_DOCDIR})
endforeach()
# Debian's packages have it in a file of their own.
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT licence)
