# Language, warnings, hardening and sanitizers: the same for every target.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

option(USHER_TESTS "build the tests" ON)
option(USHER_BENCH "build the benchmarks" OFF)
option(USHER_FUZZ "build the fuzz targets (clang)" OFF)
set(USHER_SANITIZE "" CACHE STRING "sanitizers to build with: address,undefined or thread")

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
endif()

include(CheckCXXCompilerFlag)
add_library(usher_flags INTERFACE)
target_compile_options(usher_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wold-style-cast -Werror
  -fstack-protector-strong -fstack-clash-protection -fno-plt)
check_cxx_compiler_flag(-fcf-protection USHER_HAS_CF_PROTECTION)  # on x86 only
if(USHER_HAS_CF_PROTECTION)
  target_compile_options(usher_flags INTERFACE -fcf-protection)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # ccache can only reuse a precompiled header's users when the header's own checksum is stable.
  target_compile_options(usher_flags INTERFACE -fpch-preprocess)
endif()
target_link_options(usher_flags INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack)
target_compile_definitions(usher_flags INTERFACE $<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>)
if(NOT USHER_SANITIZE)
  target_compile_definitions(usher_flags INTERFACE $<$<NOT:$<CONFIG:Debug>>:_FORTIFY_SOURCE=3>)
endif()
if(USHER_SANITIZE)
  target_compile_options(usher_flags INTERFACE -fsanitize=${USHER_SANITIZE} -fno-sanitize-recover=all
    -fno-omit-frame-pointer -g1)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # With the sanitizers' code, g++ 12 reports overflows that do not exist; the other presets keep these warnings.
    target_compile_options(usher_flags INTERFACE
      -Wno-stringop-overflow -Wno-stringop-overread -Wno-array-bounds -Wno-maybe-uninitialized -Wno-restrict)
  endif()
  target_link_options(usher_flags INTERFACE -fsanitize=${USHER_SANITIZE})
endif()
if(USHER_SANITIZE STREQUAL "thread" AND EXISTS /proc/sys/vm/mmap_rnd_bits)
  # ThreadSanitizer's shadow memory does not support the wider address randomisation of newer kernels.
  file(READ /proc/sys/vm/mmap_rnd_bits bits)
  if(bits GREATER 28)
    set(CMAKE_CROSSCOMPILING_EMULATOR "setarch;-R")
  endif()
endif()
