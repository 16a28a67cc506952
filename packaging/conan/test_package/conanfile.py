# SPDX-License-Identifier: MIT
# Builds and runs the applications of test/package/consumer with the package.
import os

from conan import ConanFile
from conan.tools.build import can_run
from conan.tools.cmake import CMake, CMakeToolchain, cmake_layout


class FeatherIDTestConan(ConanFile):
    settings = "os", "arch", "compiler", "build_type"
    generators = "CMakeDeps"

    def requirements(self):
        self.requires(self.tested_reference_str)

    def layout(self):
        cmake_layout(self)

    def generate(self):
        options = self.dependencies["featherid"].options
        components = ["core"] + [name for name in ("etcd", "http", "scramble", "soci") if options.get_safe(name)]
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables["COMPONENTS"] = ",".join(components)
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure(build_script_folder=os.path.join(self.source_folder, "../../../test/package/consumer"))
        cmake.build()

    def test(self):
        if can_run(self):
            CMake(self).ctest(["--output-on-failure", "--no-tests=error"])
