target_link_libraries(unit_store PRIVATE SQLiteCpp Threads::Threads)
