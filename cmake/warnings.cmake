# Warnings and hardening for our own targets: CONTRIBUTING.md names them, CI treats them as errors.
add_library(alca_options INTERFACE)
target_compile_features(alca_options INTERFACE cxx_std_20)
target_compile_options(alca_options INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wold-style-cast
    $<$<BOOL:${ALCA_WERROR}>:-Werror>
    -fstack-protector-strong
    -fvisibility=hidden -fvisibility-inlines-hidden)
target_compile_definitions(alca_options INTERFACE
    _GNU_SOURCE
    $<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>
    $<$<NOT:$<CONFIG:Debug>>:_FORTIFY_SOURCE=2>)
target_link_options(alca_options INTERFACE -Wl,-z,relro,-z,now)
