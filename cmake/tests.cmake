# The tests. Each tests/<folder>/test_<name>.c is one Criterion program, and one
# test of ctest with the folder as its label (ctest -L unit). Criterion runs
# every Test() in a process of its own, so one that crashes takes none along.
set(CW_TESTS ${CMAKE_SOURCE_DIR}/tests)

# What tests share: the failing allocator and whatever is in tests/support.
file(GLOB support CONFIGURE_DEPENDS ${CW_TESTS}/support/*.c)
add_library(cw_test_support STATIC ${CW_TESTS}/oom/failing.c ${support})
target_include_directories(cw_test_support PUBLIC ${CMAKE_SOURCE_DIR}/libcore
  ${CW_TESTS})
target_link_libraries(cw_test_support PUBLIC curlew_static PRIVATE cw_flags)

function(cw_test_program target)
  add_executable(${target} ${ARGN})
  target_link_libraries(${target} PRIVATE cw_test_support curlew_static
    cw_flags)
endfunction()

# A leak is found when the process of a Test() ends, after Criterion has its
# result, so only what the sanitizer prints can fail the test. Criterion counts
# no assertion of a .fini function either: it prints it.
function(cw_register_test target label)
  add_test(NAME ${target} COMMAND ${target} ${ARGN}
    WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(${target} PROPERTIES TIMEOUT 120 LABELS ${label}
    ENVIRONMENT UBSAN_OPTIONS=print_stacktrace=1
    FAIL_REGULAR_EXPRESSION "LeakSanitizer: ;AddressSanitizer: ;runtime error: ;Assertion Failed")
endfunction()

if(CURLEW_TESTS)
  pkg_check_modules(CRITERION REQUIRED IMPORTED_TARGET criterion)
  foreach(folder unit peer oom real)
    file(GLOB sources CONFIGURE_DEPENDS ${CW_TESTS}/${folder}/test_*.c)
    foreach(source ${sources})
      cmake_path(GET source STEM name)
      cw_test_program(${name} ${source} ${CW_TESTS}/strict.c)
      target_link_libraries(${name} PRIVATE PkgConfig::CRITERION)
      cw_register_test(${name} ${folder})
    endforeach()
  endforeach()
endif()

if(CURLEW_TESTS)
  add_dependencies(test_real_rtsp rtsp_server)
  target_compile_definitions(test_real_rtsp PRIVATE
    RTSP_SERVER_PROGRAM="$<TARGET_FILE:rtsp_server>")
endif()

# Threads under ThreadSanitizer, which Criterion does not bear: scripts/tsan.
if(CURLEW_TSAN)
  add_executable(tsan_share ${CW_TESTS}/tsan/share.c
    ${CW_TESTS}/support/share_load.c ${CW_TESTS}/support/locks.c
    ${CW_TESTS}/support/dns.c)
  target_include_directories(tsan_share PRIVATE ${CW_TESTS})
  target_link_libraries(tsan_share PRIVATE curlew_static cw_flags)
endif()

# Fuzz targets: with libFuzzer in a fuzz build; in all others with a main that
# replays the corpus, tests/fuzz/corpus/<target less fuzz_>, as an ordinary test.
file(GLOB sources CONFIGURE_DEPENDS ${CW_TESTS}/fuzz/fuzz_*.c)
foreach(source ${sources})
  cmake_path(GET source STEM name)
  if(CURLEW_FUZZ)
    cw_test_program(${name} ${source})
    target_compile_options(${name} PRIVATE
      -fsanitize=fuzzer,address,undefined)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer,address,undefined)
  else()
    cw_test_program(replay_${name} ${source} ${CW_TESTS}/fuzz/replay.c)
    string(REGEX REPLACE "^fuzz_" "" corpus ${name})
    cw_register_test(replay_${name} fuzz ${CW_TESTS}/fuzz/corpus/${corpus})
  endif()
endforeach()
