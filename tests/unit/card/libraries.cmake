# The card tests run SoftHSM through the shim, in a child that is this program itself (card_main.cpp).
target_compile_definitions(${name} PRIVATE USHER_PKCS11_SHIM="$<TARGET_FILE:pkcs11_shim>")
add_dependencies(${name} pkcs11_shim)
