target_link_libraries(${name} PRIVATE channel identity licence media tls crypto wire)
