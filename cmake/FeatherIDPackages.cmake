# SPDX-License-Identifier: MIT
# Debian packages by CPack, one for each component of FeatherIDInstall. scripts/package sets what they require: shared
# libraries, the prefix /usr, the user of the unit, and the version's part for the release of Debian.
set(debian ${PROJECT_SOURCE_DIR}/packaging/debian)
set(soversion ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME featherid)
# FeatherID has no address of its own, so this one names nobody (RFC 2606). Whoever builds packages for others gives
# theirs to scripts/package.
set(CPACK_PACKAGE_CONTACT "FeatherID contributors <packages@featherid.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")  # each package has its own
set(CPACK_PACKAGING_INSTALL_PREFIX ${CMAKE_INSTALL_PREFIX})
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/packages)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_COMPONENTS_ALL libfeatherid libfeatherid-dev featherid-server featherid)
set(CPACK_PRE_BUILD_SCRIPTS ${debian}/stage.cmake)

set(CPACK_FEATHERID_SYMBOLS ${PROJECT_BINARY_DIR}/symbols)  # stage.cmake writes it
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_SOURCE featherid)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_ENABLE_COMPONENT_DEPENDS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY >=)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR}/lib)
file(GLOB_RECURSE library_folders LIST_DIRECTORIES ON ${PROJECT_SOURCE_DIR}/lib/CMakeLists.txt)
foreach(folder IN LISTS library_folders)
  get_filename_component(folder ${folder} DIRECTORY)
  file(RELATIVE_PATH folder ${PROJECT_SOURCE_DIR} ${folder})
  list(APPEND CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR}/${folder})
endforeach()

set(what "FeatherID issues 64-bit ids that are unique across every process that shares\n\
one database. It leases segments of ids from the database ahead of need, so\nthat an id costs nanoseconds.\n\n")

set(CPACK_DEBIAN_LIBFEATHERID_PACKAGE_NAME libfeatherid${soversion})
set(CPACK_DEBIAN_LIBFEATHERID_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LIBFEATHERID_DESCRIPTION "64-bit ids, unique across processes (libraries)
${what}This package contains the shared libraries.")
set(CPACK_DEBIAN_LIBFEATHERID_PACKAGE_CONTROL_EXTRA
    ${debian}/libfeatherid/triggers ${CPACK_FEATHERID_SYMBOLS})

set(CPACK_DEBIAN_LIBFEATHERID-DEV_PACKAGE_NAME libfeatherid-dev)
set(CPACK_DEBIAN_LIBFEATHERID-DEV_PACKAGE_SECTION libdevel)
set(CPACK_COMPONENT_LIBFEATHERID-DEV_DEPENDS libfeatherid)
set(CPACK_DEBIAN_LIBFEATHERID-DEV_DESCRIPTION "64-bit ids, unique across processes (development files)
${what}This package contains what programs that use the libraries are built with:\n\
headers, CMake package and pkg-config files.")

set(CPACK_DEBIAN_FEATHERID-SERVER_PACKAGE_NAME featherid-server)
set(CPACK_DEBIAN_FEATHERID-SERVER_PACKAGE_CONTROL_EXTRA
    ${debian}/featherid-server/conffiles ${debian}/featherid-server/postinst
    ${debian}/featherid-server/postrm ${debian}/featherid-server/prerm)
set(CPACK_COMPONENT_FEATHERID-SERVER_DEPENDS libfeatherid)
set(CPACK_DEBIAN_FEATHERID-SERVER_PACKAGE_DEPENDS adduser)
set(CPACK_DEBIAN_FEATHERID-SERVER_PACKAGE_RECOMMENDS featherid)
set(CPACK_DEBIAN_FEATHERID-SERVER_DESCRIPTION "64-bit ids, unique across processes (server)
${what}This package contains the server, which issues ids over HTTP and over the Redis\n\
protocol, on MariaDB, MySQL, PostgreSQL, etcd or SQLite.")

set(CPACK_DEBIAN_FEATHERID_PACKAGE_NAME featherid)
set(CPACK_COMPONENT_FEATHERID_DEPENDS libfeatherid)
set(CPACK_DEBIAN_FEATHERID_PACKAGE_SUGGESTS featherid-server)
set(CPACK_DEBIAN_FEATHERID_DESCRIPTION "64-bit ids, unique across processes (command and documentation)
${what}This package contains the command featherid, which prepares a database, creates\n\
and changes tags, takes ids and says what could lose or stop them. It also\ncontains the documentation.")

include(CPack)
