# SPDX-License-Identifier: MIT
# A port for an overlay: vcpkg install "featherid[soci]" --overlay-ports=packaging/vcpkg. It builds the tree that it is
# part of.
get_filename_component(SOURCE_PATH "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

vcpkg_check_features(OUT_FEATURE_OPTIONS options
  FEATURES
    etcd FEATHERID_BUILD_ETCD
    http FEATHERID_BUILD_HTTP
    scramble FEATHERID_BUILD_SCRAMBLE
    soci FEATHERID_BUILD_SOCI)

vcpkg_cmake_configure(SOURCE_PATH "${SOURCE_PATH}"
  OPTIONS
    ${options}
    -DFEATHERID_BUILD_SERVER=OFF
    -DFEATHERID_BUILD_TESTS=OFF
    -DFEATHERID_BUILD_EXAMPLES=OFF)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(PACKAGE_NAME FeatherID CONFIG_PATH lib/cmake/FeatherID)
vcpkg_fixup_pkgconfig()

file(INSTALL "${CMAKE_CURRENT_LIST_DIR}/usage" DESTINATION "${CURRENT_PACKAGES_DIR}/share/${PORT}")
file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/debug/include" "${CURRENT_PACKAGES_DIR}/debug/share")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
