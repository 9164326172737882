# The card tests run SoftHSM through the shim, in a child that is this program itself (card_main.cpp).
target_compile_definitions(unit_identity PRIVATE USHER_PKCS11_SHIM="$<TARGET_FILE:pkcs11_shim>")
add_dependencies(unit_identity pkcs11_shim)
# usher-ca is run as it is.
target_compile_definitions(unit_identity PRIVATE USHER_CA_PROGRAM="$<TARGET_FILE:usher-ca>")
add_dependencies(unit_identity usher-ca)
