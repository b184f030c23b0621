option(TOCSIN_BUILD_TESTS "Build the tests" ON)
option(TOCSIN_BUILD_BENCH "Build the benchmarks" ON)
option(TOCSIN_BUILD_FUZZ "Build the fuzz targets for libFuzzer (needs clang 16 or newer)" OFF)
option(TOCSIN_WARNINGS_AS_ERRORS "Fail on warnings; packagers with other compilers turn it off" ON)
set(TOCSIN_SANITIZE "" CACHE STRING "Sanitizers, as for -fsanitize= (empty for none)")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
# Line tables are enough for a profile and a backtrace, and halve the time to link.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1 -DNDEBUG")

# Set for the directory and not per target: a precompiled header is only shared by targets that
# are compiled with the very same options.
add_compile_options(
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wold-style-cast -Woverloaded-virtual
  $<$<BOOL:${TOCSIN_WARNINGS_AS_ERRORS}>:-Werror>
  # GCC 12 takes the frame allocator of an inlined awaitable for a mismatched operator new.
  -Wno-mismatched-new-delete)
add_compile_definitions(
  BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_COROUTINE BOOST_ASIO_SEPARATE_COMPILATION
  BOOST_BEAST_SEPARATE_COMPILATION BOOST_JSON_NO_LIB BOOST_URL_NO_LIB)
if(TOCSIN_BUILD_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang" OR CMAKE_CXX_COMPILER_VERSION VERSION_LESS 16)
    message(FATAL_ERROR "TOCSIN_BUILD_FUZZ needs clang 16 or newer: older ones cannot read the ranges of GCC 12's "
                        "library. Use the preset \"fuzz\", after apt-get install clang-16 libclang-rt-16-dev.")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(TOCSIN_SANITIZE)
  if(TOCSIN_SANITIZE MATCHES "thread")
    # GCC's TSan does not model the fences inside Asio; the mutexes beside them it does.
    add_compile_options(-Wno-tsan)
  endif()
  # Instrumented code confuses GCC 12's flow analysis into warnings about Boost's own headers.
  add_compile_options(-fsanitize=${TOCSIN_SANITIZE} -fno-omit-frame-pointer)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wno-maybe-uninitialized)
  endif()
  add_link_options(-fsanitize=${TOCSIN_SANITIZE})
endif()

# Tests spend their time in what they test, not in themselves: built without optimisation, the
# hundred files of them take half as long to compile. Sanitizer builds keep their own level.
set(TOCSIN_TEST_FLAGS "")
if(NOT TOCSIN_SANITIZE)
  set(TOCSIN_TEST_FLAGS -O0 -g0)
endif()

# One library a folder: the folder's dependencies are the ones it may include, and no others.
#   tocsin_library(redis SOURCES ... HEADERS ... PUBLIC ... PRIVATE ...)
function(tocsin_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;HEADERS;PUBLIC;PRIVATE" ${ARGN})
  add_library(tocsin_${name} STATIC ${arg_SOURCES})
  add_library(tocsin::${name} ALIAS tocsin_${name})
  target_sources(
    tocsin_${name} PUBLIC FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}" FILES ${arg_HEADERS})
  target_link_libraries(tocsin_${name} PUBLIC ${arg_PUBLIC} PRIVATE ${arg_PRIVATE})
  target_precompile_headers(tocsin_${name} REUSE_FROM tocsin_pch)
  set_target_properties(tocsin_${name} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
endfunction()

# One executable a module: a crash names its module, and ctest -j runs them side by side.
#   tocsin_test(redis_test SOURCES a_test.cpp LINK tocsin::redis)
function(tocsin_test name)
  cmake_parse_arguments(arg "" "TIMEOUT" "SOURCES;LINK;LABELS" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 60)
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LINK} GTest::gtest_main GTest::gmock)
  target_precompile_headers(${name} REUSE_FROM tocsin_test_pch)
  target_compile_options(${name} PRIVATE ${TOCSIN_TEST_FLAGS})
  gtest_discover_tests(
    ${name} DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABELS}")
endfunction()
