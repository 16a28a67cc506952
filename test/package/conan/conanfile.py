# SPDX-License-Identifier: MIT
# Stands in for a package of Conan Center: the library that Debian has installed, under the target names of the real
# recipe. conan create . --name soci --version 4.0.3
from conan import ConanFile
from conan.tools.gnu import PkgConfig

CLIENTS = {  # of SOCI's drivers: the engine's client library, and where its headers are
    "mysql": ("mariadb", "/usr/include/mariadb"),
    "postgresql": ("pq", "/usr/include/postgresql"),
    "sqlite3": ("sqlite3", "/usr/include"),
}


class DebianConan(ConanFile):
    settings = "os", "arch", "compiler", "build_type"
    options = {name: [True, False] for name in ("with_openssl", "with_mysql", "with_postgresql", "with_sqlite3")}
    default_options = {name: False for name in options}

    def package_info(self):
        self.cpp_info.includedirs = self.cpp_info.libdirs = []
        getattr(self, "_" + self.name.replace("-", "_"))()

    def _cpp_httplib(self):
        assert self.options.with_openssl, "HttpStore requires TLS"
        self._by_pkg_config("cpp-httplib", "httplib", "httplib::httplib")

    def _nlohmann_json(self):
        self._by_pkg_config("nlohmann_json", "nlohmann_json", "nlohmann_json::nlohmann_json")

    def _by_pkg_config(self, name, file, target):
        PkgConfig(self, name).fill_cpp_info(self.cpp_info)
        self.cpp_info.set_property("cmake_file_name", file)
        self.cpp_info.set_property("cmake_target_name", target)

    def _openssl(self):
        self.cpp_info.set_property("cmake_file_name", "OpenSSL")
        self._component("crypto", "OpenSSL::Crypto", "crypto")

    def _soci(self):
        self.cpp_info.set_property("cmake_file_name", "SOCI")
        self._component("soci_core", "SOCI::soci_core_static", "soci_core")
        for engine, (client, headers) in CLIENTS.items():
            assert self.options.get_safe("with_" + engine), "SociStore requires SOCI's driver for " + engine
            driver = "soci_" + engine
            self._component(driver, "SOCI::" + driver + "_static", driver, client)
            self.cpp_info.components[driver].includedirs = [headers]
            self.cpp_info.components[driver].requires = ["soci_core"]

    def _component(self, name, target, *libraries):
        component = self.cpp_info.components[name]
        component.set_property("cmake_target_name", target)
        component.system_libs = list(libraries)
        component.includedirs = component.libdirs = []
