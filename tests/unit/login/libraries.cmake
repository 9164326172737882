# The agent keeps a card that is used through the shim.
target_compile_definitions(${name} PRIVATE USHER_PKCS11_SHIM="$<TARGET_FILE:pkcs11_shim>")
add_dependencies(${name} pkcs11_shim)
