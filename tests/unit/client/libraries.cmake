target_link_libraries(${name} PRIVATE channel card licence media tls crypto wire)
