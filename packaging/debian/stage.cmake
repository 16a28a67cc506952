# SPDX-License-Identifier: MIT
# CPack runs this when the files of each package are in a folder of their own. It adds what only Debian's packages have.
cmake_minimum_required(VERSION 3.20)
set(debian ${CMAKE_CURRENT_LIST_DIR})
set(version ${CPACK_PACKAGE_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})

# run(command...): it must succeed.
function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(STRINGS /etc/os-release distribution REGEX "^VERSION_CODENAME=")
string(REPLACE "VERSION_CODENAME=" "" distribution "${distribution}")
# The time of SOURCE_DATE_EPOCH, if that is set.
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)

foreach(component IN LISTS CPACK_COMPONENTS_ALL)
  string(TOUPPER ${component} upper)
  set(package ${component})
  if(CPACK_DEBIAN_${upper}_PACKAGE_NAME)
    set(package ${CPACK_DEBIAN_${upper}_PACKAGE_NAME})
  endif()
  set(stage ${CPACK_TEMPORARY_DIRECTORY}/${component})
  set(usr ${stage}${CPACK_PACKAGING_INSTALL_PREFIX})
  set(doc ${usr}/share/doc/${package})

  configure_file(${debian}/changelog.in ${doc}/changelog.Debian @ONLY)
  file(COPY ${debian}/copyright DESTINATION ${doc})
  if(EXISTS ${debian}/${component}/lintian-overrides)
    file(COPY ${debian}/${component}/lintian-overrides DESTINATION ${usr}/share/lintian/overrides)
    file(RENAME ${usr}/share/lintian/overrides/lintian-overrides ${usr}/share/lintian/overrides/${package})
  endif()
  file(GLOB_RECURSE compressed ${usr}/share/man/*.[1-8] ${doc}/CHANGELOG.md ${doc}/changelog.Debian)
  foreach(file IN LISTS compressed)
    run(gzip -9n ${file})
  endforeach()
endforeach()

set(etc ${CPACK_TEMPORARY_DIRECTORY}/featherid-server/etc/featherid)
file(COPY ${debian}/featherid.env DESTINATION ${etc} FILE_PERMISSIONS OWNER_READ OWNER_WRITE)

# What programs may use of the libraries. It fails if a symbol is gone.
set(package ${CPACK_DEBIAN_LIBFEATHERID_PACKAGE_NAME})
set(stage ${CPACK_TEMPORARY_DIRECTORY}/libfeatherid)
set(control ${CPACK_TEMPORARY_DIRECTORY}/control)
file(WRITE ${control}/debian/control "Source: featherid\n\nPackage: ${package}\nArchitecture: any\n")
file(GLOB libraries ${stage}${CPACK_PACKAGING_INSTALL_PREFIX}/lib/*/lib*.so.*.*.*)
list(TRANSFORM libraries PREPEND -e)
execute_process(COMMAND dpkg-gensymbols -p${package} -v${version} -P${stage} ${libraries} -c4
                        -I${debian}/libfeatherid/symbols -O${CPACK_FEATHERID_SYMBOLS}
                WORKING_DIRECTORY ${control} COMMAND_ERROR_IS_FATAL ANY)
