# A statement is signed by a card: SoftHSM behind the shim, in a child that is this program itself (card_main.cpp).
target_sources(${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests/unit/card/card_main.cpp)
target_link_libraries(${name} PRIVATE card)
target_compile_definitions(${name} PRIVATE USHER_PKCS11_SHIM="$<TARGET_FILE:pkcs11_shim>")
add_dependencies(${name} pkcs11_shim)
