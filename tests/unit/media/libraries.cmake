target_link_libraries(${name} PRIVATE Boost::json)
