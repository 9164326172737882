# Two precompiled headers, for the libraries and for the test programs: the standard headers that most files include.
# Every file still includes what it uses: the preset tidy compiles without precompiled headers.
set(USHER_STANDARD_HEADERS <algorithm> <array> <cerrno> <charconv> <chrono> <cstdio> <cstdlib> <expected> <filesystem>
  <functional> <map> <memory> <mutex> <optional> <span> <string> <string_view> <unordered_map> <utility> <vector>)
function(usher_precompiled_headers name)
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/${name}.cpp CONTENT "")
  add_library(${name} OBJECT ${CMAKE_BINARY_DIR}/${name}.cpp)
  target_link_libraries(${name} PRIVATE usher_flags ${ARGN})
endfunction()
usher_precompiled_headers(library_headers fmt::fmt)
target_precompile_headers(library_headers PRIVATE ${USHER_STANDARD_HEADERS} <fmt/format.h>)
if(USHER_TESTS)
  usher_precompiled_headers(test_headers GTest::gtest)
  target_precompile_headers(test_headers PRIVATE ${USHER_STANDARD_HEADERS} <gtest/gtest.h>)
  # As the programs that use it are compiled.
  set_target_properties(test_headers PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(test_headers PRIVATE -fPIE)
endif()

# usher_library(name PUBLIC … PRIVATE …): every .cpp of src/<name>, recursively; usher::<name> is an alias.
function(usher_library name)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cpp)
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.h)
  if(sources)
    add_library(${name} STATIC ${sources} ${headers})
    target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
    target_link_libraries(${name} PRIVATE usher_flags ${ARGN})
    # ARGN carries its own PUBLIC/PRIVATE keywords.
    target_precompile_headers(${name} REUSE_FROM library_headers)
  else()
    add_library(${name} INTERFACE)
    target_include_directories(${name} INTERFACE ${CMAKE_SOURCE_DIR}/src)
  endif()
  add_library(usher::${name} ALIAS ${name})
endfunction()

# app_common: the code that the programs share (configuration, trust, passphrases, error reports), from apps/common.
function(usher_app_common)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/apps/common/*.cpp)
  add_library(app_common STATIC ${sources})
  target_include_directories(app_common PUBLIC ${CMAKE_SOURCE_DIR}/apps)
  target_link_libraries(app_common PRIVATE usher_flags tomlplusplus::tomlplusplus CLI11::CLI11
    PUBLIC base crypto pki licence Boost::json)
  target_precompile_headers(app_common REUSE_FROM library_headers)
endfunction()

# usher_program(name libraries…): main.cpp of apps/<name>, and <name>_parts: every other .cpp there, recursively; the
# tests of the program link <name>_parts.
function(usher_program name)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/apps/${name}/*.cpp)
  list(REMOVE_ITEM sources ${CMAKE_SOURCE_DIR}/apps/${name}/main.cpp)
  add_library(${name}_parts STATIC ${sources})
  target_link_libraries(${name}_parts PRIVATE usher_flags PUBLIC app_common ${ARGN})
  target_precompile_headers(${name}_parts REUSE_FROM library_headers)
  target_compile_definitions(${name}_parts PRIVATE USHER_VERSION="${PROJECT_VERSION}")
  add_executable(${name} ${CMAKE_SOURCE_DIR}/apps/${name}/main.cpp)
  target_link_libraries(${name} PRIVATE usher_flags ${name}_parts)
  target_compile_definitions(${name} PRIVATE USHER_VERSION="${PROJECT_VERSION}")
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
  install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endfunction()

# Time limits of tests in seconds: far more than a test takes on a loaded machine. With sanitizers, four times as long.
# usher_add_test is add_test with this limit.
set(USHER_TEST_SECONDS 300)
set(USHER_END_TO_END_SECONDS 1200)
if(USHER_SANITIZE)
  math(EXPR USHER_TEST_SECONDS "4 * ${USHER_TEST_SECONDS}")
  math(EXPR USHER_END_TO_END_SECONDS "4 * ${USHER_END_TO_END_SECONDS}")
endif()
function(usher_add_test name)
  add_test(NAME ${name} ${ARGN})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${USHER_TEST_SECONDS})
endfunction()

# usher_test_program(name folder libraries…): every .cpp of the folder, recursively, one ctest case for each TEST. If
# the folder has a libraries.cmake, it runs afterwards and may link more to `name`.
function(usher_test_program name folder)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${folder}/*.cpp)
  if(NOT sources)
    return()
  endif()
  get_filename_component(kind ${folder} DIRECTORY)
  get_filename_component(kind ${kind} NAME)
  get_filename_component(leaf ${folder} NAME)
  add_executable(${name} ${sources})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_link_libraries(${name} PRIVATE usher_flags ${ARGN} ${RAPIDCHECK_LIBRARY} GTest::gtest_main)
  if(EXISTS ${folder}/libraries.cmake)
    include(${folder}/libraries.cmake)
  endif()
  target_precompile_headers(${name} REUSE_FROM test_headers)
  target_compile_definitions(${name} PRIVATE
    USHER_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
    USHER_CONFORMANCE_DEFAULT="${CMAKE_SOURCE_DIR}/../shared/conformance")
  if(kind STREQUAL "unit")
    gtest_discover_tests(${name} TEST_PREFIX ${leaf}. DISCOVERY_TIMEOUT 60
      PROPERTIES TIMEOUT ${USHER_TEST_SECONDS})
  else()
    gtest_discover_tests(${name} TEST_PREFIX ${kind}.${leaf}. DISCOVERY_TIMEOUT 60
      PROPERTIES TIMEOUT ${USHER_TEST_SECONDS})
  endif()
endfunction()

# unit_<folder> for each tests/unit/<folder>, conformance_<folder> for each tests/conformance/<folder>. Each links the
# library with the folder's name, or the parts of the program with that name.
function(usher_test_programs)
  include(GoogleTest)
  foreach(kind unit conformance)
    file(GLOB folders CONFIGURE_DEPENDS LIST_DIRECTORIES true ${CMAKE_SOURCE_DIR}/tests/${kind}/*)
    foreach(folder ${folders})
      if(IS_DIRECTORY ${folder})
        get_filename_component(name ${folder} NAME)
        if(TARGET ${name}_parts)
          usher_test_program(${kind}_${name} ${folder} ${name}_parts)
        else()
          usher_test_program(${kind}_${name} ${folder} ${name})
        endif()
      endif()
    endforeach()
  endforeach()
endfunction()

# usher_links(variable file): the libraries that a fuzz target or a benchmark names in its line `// Links: a b`.
function(usher_links variable file)
  file(STRINGS ${file} lines REGEX "^// Links: ")
  if(NOT lines)
    message(FATAL_ERROR "${file} needs a line `// Links: …` that names the libraries it uses")
  endif()
  list(GET lines 0 line)
  string(REGEX REPLACE "^// Links: " "" line "${line}")
  string(REPLACE " " ";" line "${line}")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  set(${variable} ${line} PARENT_SCOPE)
endfunction()
