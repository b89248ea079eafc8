// The only place where toml++ is compiled.
#define TOML_IMPLEMENTATION
#include "core/config/toml.hpp"
