# The configuration belongs to the program; it is tested together with the server's other parts.
set(usherd_sources
  ${CMAKE_SOURCE_DIR}/apps/usherd/config.cpp
  ${CMAKE_SOURCE_DIR}/apps/usherd/config_keys.cpp
  ${CMAKE_SOURCE_DIR}/apps/common/settings.cpp
  ${CMAKE_SOURCE_DIR}/apps/common/settings_text.cpp
  ${CMAKE_SOURCE_DIR}/apps/common/trust.cpp
  ${CMAKE_SOURCE_DIR}/apps/usherd/file_shares.cpp
  ${CMAKE_SOURCE_DIR}/apps/usherd/revocation.cpp
  ${CMAKE_SOURCE_DIR}/apps/usherd/files.cpp)
# So that they are compiled, and checked by clang-tidy, as in the program.
set_source_files_properties(${usherd_sources} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
target_sources(${name} PRIVATE ${usherd_sources})
target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/apps)
target_link_libraries(${name} PRIVATE tomlplusplus::tomlplusplus Boost::json)
# The file stream is spoken to by a TLS client of the tests' own.
target_link_libraries(${name} PRIVATE tls)
