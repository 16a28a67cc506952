# SPDX-License-Identifier: MIT
# The library for Conan 2: conan create packaging/conan. The components are those of find_package(FeatherID): core,
# and with their options etcd, http, scramble and soci. The server is not in it; it has packages of its own.
import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load, rmdir

required_conan_version = ">=2.0"


class FeatherIDConan(ConanFile):
    name = "featherid"
    description = "64-bit ids, unique across processes, at memory speed"
    license = "MIT"
    topics = ("id", "sequence", "segment", "mysql", "postgresql", "sqlite", "etcd")
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {
        "shared": [True, False],
        "fPIC": [True, False],
        "etcd": [True, False],
        "http": [True, False],
        "scramble": [True, False],
        "soci": [True, False],
    }
    default_options = {
        "shared": False,
        "fPIC": True,
        "etcd": True,
        "http": True,
        "scramble": True,
        "soci": True,
        "cpp-httplib/*:with_openssl": True,
        "soci/*:with_mysql": True,
        "soci/*:with_postgresql": True,
        "soci/*:with_sqlite3": True,
    }
    implements = ["auto_shared_fpic"]

    def _top(self):
        return os.path.join(self.recipe_folder, "..", "..")

    def set_version(self):
        text = load(self, os.path.join(self._top(), "CMakeLists.txt"))
        self.version = re.search(r"project\(FeatherID VERSION ([0-9.]+)", text).group(1)

    def export_sources(self):
        for pattern in ("CMakeLists.txt", "LICENSE", "cmake/*", "include/*", "lib/*", "sql/*"):
            copy(self, pattern, self._top(), self.export_sources_folder)

    def configure(self):
        if not self.options.http:  # EtcdStore is a client over HTTP
            del self.options.etcd

    def layout(self):
        cmake_layout(self)

    def requirements(self):
        if self.options.http:
            self.requires("cpp-httplib/[>=0.11 <1]")
            self.requires("nlohmann_json/[>=3.11 <4]")
        if self.options.scramble:
            self.requires("openssl/[>=3 <4]")
        if self.options.soci:
            self.requires("soci/[>=4.0.3 <5]")

    def validate(self):
        check_min_cppstd(self, 17)

    def generate(self):
        CMakeDeps(self).generate()
        toolchain = CMakeToolchain(self)
        for option in ("ETCD", "HTTP", "SCRAMBLE", "SOCI"):
            toolchain.cache_variables["FEATHERID_BUILD_" + option] = bool(self.options.get_safe(option.lower()))
        for option in ("SERVER", "TESTS", "EXAMPLES"):
            toolchain.cache_variables["FEATHERID_BUILD_" + option] = False
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        for component in ("libfeatherid", "libfeatherid-dev"):
            CMake(self).install(component=component)
        for folder in ("cmake", "pkgconfig"):  # Conan makes its own
            rmdir(self, os.path.join(self.package_folder, "lib", folder))

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "FeatherID")
        core = self.cpp_info.components["core"]
        core.set_property("cmake_target_name", "FeatherID::featherid")
        core.set_property("pkg_config_name", "featherid")
        core.libs = ["featherid"]
        if self.settings.os in ("Linux", "FreeBSD"):
            core.system_libs = ["pthread", "dl"]
        requires = {
            "etcd": ["http"],
            "http": ["cpp-httplib::cpp-httplib", "nlohmann_json::nlohmann_json"],
            "scramble": ["openssl::crypto"],
            "soci": ["soci::soci"],
        }
        for name, needs in requires.items():
            if not self.options.get_safe(name):
                continue
            component = self.cpp_info.components[name]
            component.set_property("cmake_target_name", "FeatherID::" + name)
            component.set_property("pkg_config_name", "featherid-" + name)
            component.libs = ["featherid_" + name]
            component.requires = ["core"] + needs
