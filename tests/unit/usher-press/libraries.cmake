# The tests of usher-press run the program, with certificates made by pki/.
target_link_libraries(${name} PRIVATE Boost::json)
add_dependencies(${name} usher-press)
target_compile_definitions(${name} PRIVATE USHER_PRESS="$<TARGET_FILE:usher-press>")
