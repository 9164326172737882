# usher-ca is run as it is.
target_compile_definitions(${name} PRIVATE USHER_CA_PROGRAM="$<TARGET_FILE:usher-ca>")
add_dependencies(${name} usher-ca)
