# yolov7_sources(<variable> [EXCEPT expressions...]): every .cpp of this folder and those below, so that a new file needs no line here.
function(yolov7_sources variable)
  cmake_parse_arguments(ARG "" "" "EXCEPT" ${ARGN})
  file(GLOB_RECURSE found RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} CONFIGURE_DEPENDS *.cpp)
  foreach(expression ${ARG_EXCEPT})
    list(FILTER found EXCLUDE REGEX ${expression})
  endforeach()
  set(${variable} ${found} PARENT_SCOPE)
endfunction()

# yolov7_module(<name> [EXCEPT expressions...] [SOURCES made files...] [DEPENDS modules...] [LIBRARIES third parties...])
# A module is one folder of src/ with all its .cpp files, one namespace, one static library yolov7_<name>.
# A switch that lacks an enumerator, and a function that lacks its result, never compile. With YOLOV7_WERROR no warning does.
set(YOLOV7_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Werror=switch -Werror=return-type)
if(YOLOV7_WERROR)
  list(APPEND YOLOV7_WARNINGS -Werror)
endif()

function(yolov7_compile_options target)
  target_compile_options(${target} PRIVATE ${YOLOV7_WARNINGS})
  if(CMAKE_CURRENT_SOURCE_DIR MATCHES "^${CMAKE_SOURCE_DIR}/src")
    target_compile_options(${target} PRIVATE -Wconversion)
  endif()
  if(YOLOV7_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${YOLOV7_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
    target_link_options(${target} PUBLIC -fsanitize=${YOLOV7_SANITIZE})
  endif()
endfunction()

function(yolov7_module name)
  cmake_parse_arguments(ARG "" "" "EXCEPT;SOURCES;DEPENDS;LIBRARIES" ${ARGN})
  yolov7_sources(sources EXCEPT ${ARG_EXCEPT})
  add_library(yolov7_${name} STATIC ${sources} ${ARG_SOURCES})
  target_include_directories(yolov7_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  yolov7_compile_options(yolov7_${name})
  foreach(dependency ${ARG_DEPENDS})
    target_link_libraries(yolov7_${name} PUBLIC yolov7_${dependency})
  endforeach()
  target_link_libraries(yolov7_${name} PUBLIC Threads::Threads fmt::fmt PRIVATE ${ARG_LIBRARIES})
endfunction()

function(yolov7_loops_once target instruction_set flags)
  set(loops ${target}_loops_${instruction_set})
  add_library(${loops} OBJECT ${ARGN})
  yolov7_compile_options(${loops})
  target_include_directories(${loops} PRIVATE ${CMAKE_SOURCE_DIR}/src)
  target_compile_definitions(${loops} PRIVATE YOLOV7_INSTRUCTION_SET=${instruction_set})
  target_compile_options(${loops} PRIVATE -O3 -Wno-psabi ${flags})
  target_sources(${target} PRIVATE $<TARGET_OBJECTS:${loops}>)
endfunction()

# yolov7_loops(<target> <sources...>): inner loops, once per instruction set; core/instruction_set.hpp chooses at run time.
# On another architecture all three are the same portable code.
function(yolov7_loops target)
  set(portable_flags "")
  set(avx2_flags "")
  set(avx512_flags "")
  if(CMAKE_SYSTEM_PROCESSOR STREQUAL x86_64)
    set(avx2_flags -march=x86-64-v3)
    set(avx512_flags -march=x86-64-v4 -mprefer-vector-width=512)
  endif()
  foreach(instruction_set portable avx2 avx512)
    yolov7_loops_once(${target} ${instruction_set} "${${instruction_set}_flags}" ${ARGN})
  endforeach()
endfunction()

# yolov7_bfloat16_loops(<target> <sources...>): inner loops for AVX512_BF16 alone, whose callers ask has_bfloat16_products(); empty on another architecture.
function(yolov7_bfloat16_loops target)
  set(flags "")
  if(CMAKE_SYSTEM_PROCESSOR STREQUAL x86_64)
    set(flags -march=x86-64-v4 -mavx512bf16 -mprefer-vector-width=512)
  endif()
  yolov7_loops_once(${target} bfloat16 "${flags}" ${ARGN})
endfunction()

# yolov7_test(<module> SOURCES ... [DEPENDS modules...] [LIBRARIES ...] [LABEL unit]) -> <module>_tests
function(yolov7_test name)
  cmake_parse_arguments(ARG "" "LABEL" "SOURCES;DEPENDS;LIBRARIES" ${ARGN})
  if(NOT ARG_LABEL)
    set(ARG_LABEL unit)
  endif()
  add_executable(${name}_tests ${ARG_SOURCES})
  set_property(GLOBAL APPEND PROPERTY YOLOV7_PROGRAMS_${ARG_LABEL} ${name}_tests)
  yolov7_compile_options(${name}_tests)
  target_include_directories(${name}_tests PRIVATE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR})
  foreach(dependency ${ARG_DEPENDS})
    target_link_libraries(${name}_tests PRIVATE yolov7_${dependency})
  endforeach()
  target_link_libraries(${name}_tests PRIVATE GTest::gtest GTest::gtest_main Threads::Threads fmt::fmt ${ARG_LIBRARIES})
  target_compile_definitions(${name}_tests PRIVATE
    YOLOV7_SOURCE_DIR="${CMAKE_SOURCE_DIR}" YOLOV7_BINARY_DIR="${CMAKE_BINARY_DIR}")
  # One test of CTest per suite (add_suites.cmake); what is not built fails by name.
  set(suites ${CMAKE_CURRENT_BINARY_DIR}/${name}_suites.cmake)
  add_custom_command(TARGET ${name}_tests POST_BUILD BYPRODUCTS ${suites} VERBATIM
    COMMAND ${CMAKE_COMMAND} -D PROGRAM=$<TARGET_FILE:${name}_tests> -D PREFIX=${ARG_LABEL}.${name}. -D LABEL=${ARG_LABEL} -D FILE=${suites}
      -D FOLDER=${CMAKE_CURRENT_BINARY_DIR} -D RESULTS=${CMAKE_BINARY_DIR}/test-results -P ${CMAKE_SOURCE_DIR}/cmake/add_suites.cmake)
  file(GENERATE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${name}_include.cmake
    CONTENT "if(EXISTS [=[${suites}]=])\n  include([=[${suites}]=])\nelse()\n  add_test(${name}_tests_NOT_BUILT ${name}_tests_NOT_BUILT)\nendif()\n")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${CMAKE_CURRENT_BINARY_DIR}/${name}_include.cmake)
endfunction()

# yolov7_peer_test(<name> <script> <target> [BESIDE target] [LABELS label...] [TIMEOUT seconds]): runs SCRIPT TARGET [BESIDE] by the Python of
# the peers; says so where there is none.
function(yolov7_peer_test name script target)
  cmake_parse_arguments(ARG "" "TIMEOUT;BESIDE" "LABELS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  set(beside "")
  if(ARG_BESIDE)
    set(beside $<TARGET_FILE:${ARG_BESIDE}>)
  endif()
  add_test(NAME ${name}
    COMMAND sh -c "\"\${YOLOV7_PEER_PYTHON:-${CMAKE_SOURCE_DIR}/.deps/peers/bin/python}\" \"$0\" \"$@\" || { code=$?; [ $code = 127 ] && { echo 'skipped: no Python for peers (scripts/setup, or YOLOV7_PEER_PYTHON)'; exit 77; }; exit $code; }"
      ${CMAKE_CURRENT_SOURCE_DIR}/${script} $<TARGET_FILE:${target}> ${beside})
  set(labels peer ${ARG_LABELS})
  set_tests_properties(${name} PROPERTIES LABELS "${labels}" SKIP_RETURN_CODE 77 TIMEOUT ${ARG_TIMEOUT})
endfunction()
