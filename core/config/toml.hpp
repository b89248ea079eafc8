// core/config/toml.hpp - toml++, compiled once (toml.cpp), without exceptions. Internal to
// core/config.
#ifndef ALCA_CORE_CONFIG_TOML_HPP
#define ALCA_CORE_CONFIG_TOML_HPP

#define TOML_HEADER_ONLY 0
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0

#include <toml++/toml.h>  // IWYU pragma: export

#endif
