# SPDX-License-Identifier: MIT
# Stands in for the real port: Debian has installed the library.
set(VCPKG_POLICY_EMPTY_PACKAGE enabled)
