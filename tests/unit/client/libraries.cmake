target_link_libraries(${name} PRIVATE channel identity licence media crypto wire)
