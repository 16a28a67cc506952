# SPDX-License-Identifier: MIT
# cmake -D OUT=FILE -P embed.cmake FILE...   writes page_files(), which holds these text files.
math(EXPR last "${CMAKE_ARGC} - 1")
set(code "// Made by embed.cmake.\n#include \"server/console/page_routes.h\"\n
namespace featherid {\n
const std::vector<PageFile>& page_files() {\n  static const std::vector<PageFile> files = {\n")
set(seen_script OFF)
foreach(i RANGE ${last})
  set(argument "${CMAKE_ARGV${i}}")
  if(seen_script)
    get_filename_component(name "${argument}" NAME)
    file(READ "${argument}" content)
    string(APPEND code "      {\"${name}\", R\"file(${content})file\"},\n")
  elseif(argument MATCHES "embed.cmake$")
    set(seen_script ON)
  endif()
endforeach()
string(APPEND code "  };\n  return files;\n}\n\n}  // namespace featherid\n")
file(WRITE "${OUT}" "${code}")
