# ALCA_SANITIZE: a -fsanitize list such as "address,undefined", or empty. Presets set it.
if(ALCA_SANITIZE)
    add_compile_options(-fsanitize=${ALCA_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${ALCA_SANITIZE})
endif()
