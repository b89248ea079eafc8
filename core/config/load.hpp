// core/config/load.hpp - from .alca.toml to Config.
#ifndef ALCA_CORE_CONFIG_LOAD_HPP
#define ALCA_CORE_CONFIG_LOAD_HPP

#include <cstddef>
#include <filesystem>
#include <string_view>

#include "alca/result.hpp"
#include "core/config/config.hpp"
#include "core/config/expand.hpp"

namespace alca::config {

inline constexpr std::size_t kMaxConfigBytes = std::size_t{1024} * 1024;

// What the file is read against. Borrowed for the call.
struct LoadContext {
    fs::path project_dir;            // absolute; sources of mounts are relative to it
    fs::path home;                   // what "~" means; "" = "~" is an error
    const Environment& environment;  // for $NAME in sources of mounts
};

// Reads and checks `file`. Errors: not_found, denied (the file); invalid: everything that is wrong
// in it, up to 10 lines "FILE:LINE:COLUMN: message", in the order of the file.
[[nodiscard]] Result<Config> load(const fs::path& file, const LoadContext& context);

// The same for a text that is not in a file yet; `file` is only the name in messages.
[[nodiscard]] Result<Config> parse(std::string_view text, const fs::path& file,
                                   const LoadContext& context);

}  // namespace alca::config

#endif
