# A statement is signed by a card, SoftHSM behind the shim.
target_link_libraries(${name} PRIVATE card)
target_compile_definitions(${name} PRIVATE USHER_PKCS11_SHIM="$<TARGET_FILE:pkcs11_shim>")
add_dependencies(${name} pkcs11_shim)
