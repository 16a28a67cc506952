# SPDX-License-Identifier: MIT
# cmake -DOUTPUT=FILE -DSOURCE=DIR -P write_commit.cmake   writes which commit SOURCE is at, if that changed.
execute_process(COMMAND git describe --always --dirty --abbrev=12 WORKING_DIRECTORY ${SOURCE}
  OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed)
  set(commit unknown)
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "constexpr char kSimCommit[] = \"${commit}\";\n")
