# The build tree has the shape of the installed one, so that `alca` finds its parts in both:
# bin/alca, lib/alca/plugins, libexec/alca, each relative to the executable's parent directory.
set(CMAKE_INSTALL_LIBDIR lib)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
set(ALCA_PLUGIN_DIR ${CMAKE_INSTALL_LIBDIR}/alca/plugins)
set(ALCA_LIBEXEC_DIR libexec/alca)
