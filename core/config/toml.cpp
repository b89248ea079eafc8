// The only place where toml++ is compiled.

// What its parser asserts of a file is not always so: "[[[" is found to be an error one line later.
// Without NDEBUG it must not stop there; with it, it would let the compiler assume it.
#undef NDEBUG
#define TOML_ASSERT(expression) static_assert(true)
#define TOML_IMPLEMENTATION
#include "core/config/toml.hpp"
