target_link_libraries(unit_store PRIVATE PkgConfig::SQLITE Threads::Threads)
