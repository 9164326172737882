# The configuration belongs to the program; what it does is tested beside the server's other parts.
target_sources(${name} PRIVATE
  ${CMAKE_SOURCE_DIR}/apps/usherd/config.cpp
  ${CMAKE_SOURCE_DIR}/apps/usherd/config_keys.cpp
  ${CMAKE_SOURCE_DIR}/apps/usherd/config_text.cpp
  ${CMAKE_SOURCE_DIR}/apps/usherd/files.cpp)
target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/apps)
target_link_libraries(${name} PRIVATE tomlplusplus::tomlplusplus Boost::json)
