target_link_libraries(conformance_crypto PRIVATE Boost::json)
