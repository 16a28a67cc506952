# SPDX-License-Identifier: MIT
# featherid_target(name): what every target of the project shares, and nothing global.
function(featherid_target name)
  target_compile_features(${name} PUBLIC cxx_std_17)
  # Set for every compiler, whatever its default: g++ 16 defaults to C++20, which deprecates more.
  set_target_properties(${name} PROPERTIES CXX_STANDARD 17
    CXX_EXTENSIONS OFF CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  target_compile_options(${name} PRIVATE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wconversion
    -Wno-sign-conversion $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety;-Wreserved-identifier>)
  get_target_property(type ${name} TYPE)
  if(type STREQUAL "SHARED_LIBRARY" AND UNIX AND NOT APPLE)
    # Without it, templates of the C++ library that are compiled in would be exported as well.
    set(exports ${PROJECT_BINARY_DIR}/exports.map)
    configure_file(${PROJECT_SOURCE_DIR}/cmake/exports.map.in ${exports} @ONLY)
    target_link_options(${name} PRIVATE -Wl,--version-script=${exports})
    set_property(TARGET ${name} APPEND PROPERTY LINK_DEPENDS ${exports})
  endif()
  if(FEATHERID_SANITIZE)
    # GCC reports uninitialized reads in code that the sanitizers add. Other builds keep the warning.
    target_compile_options(${name} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  endif()
  if(FEATHERID_SANITIZE MATCHES "^(address|fuzzer)$")
    target_compile_options(${name} PUBLIC -fsanitize=address,undefined -fno-sanitize-recover=all
      -fno-omit-frame-pointer)
    target_link_options(${name} PUBLIC -fsanitize=address,undefined)
    if(FEATHERID_SANITIZE STREQUAL "fuzzer")
      target_compile_options(${name} PUBLIC -fsanitize=fuzzer-no-link)
    endif()
  elseif(FEATHERID_SANITIZE STREQUAL "thread")
    target_compile_options(${name} PUBLIC -fsanitize=thread -fno-omit-frame-pointer)
    target_link_options(${name} PUBLIC -fsanitize=thread)
  endif()
endfunction()
