// core/plugins/library_file.hpp - is this file a whole shared library for this machine?
#ifndef ALCA_CORE_PLUGINS_LIBRARY_FILE_HPP
#define ALCA_CORE_PLUGINS_LIBRARY_FILE_HPP

#include <filesystem>

#include "alca/result.hpp"

namespace alca::plugins {

// Reads the headers and compares them with the file's size: dlopen maps a truncated library
// without a complaint and then dies of SIGBUS. Runs no code of the file.
// Errors: invalid (not a library, of another machine, truncated), failed.
[[nodiscard]] Result<void> check_library_file(const std::filesystem::path& file);

}  // namespace alca::plugins

#endif
