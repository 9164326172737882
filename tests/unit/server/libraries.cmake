# The file stream is spoken to by a TLS client of the tests' own.
target_link_libraries(${name} PRIVATE tls)
