// core/config/expand.hpp - ${NAME} in environment values and $NAME in sources of mounts.
#ifndef ALCA_CORE_CONFIG_EXPAND_HPP
#define ALCA_CORE_CONFIG_EXPAND_HPP

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "alca/result.hpp"
#include "core/config/config.hpp"

namespace alca::config {

// An environment, name to value. The host's own is read once, in main.
using Environment = std::map<std::string, std::string, std::less<>>;
using EnvMap = std::map<std::string, std::string>;

// Replaces ${NAME}, and ${NAME:-default} (the default when NAME is unset or empty). "$${" stands
// for "${"; any other "$" is kept. NAME: letter or "_", then letters, digits, "_", "-"; default: up
// to the next "}". Errors: invalid (NAME is unset and has no default; not closed; not a name).
[[nodiscard]] Result<std::string> expand(std::string_view text, const Environment& environment);

// The same, and $NAME too, as in sources of mounts.
[[nodiscard]] Result<std::string> expand_path(std::string_view text,
                                              const Environment& environment);

// The names that `text` reads from the host's environment, in order, without duplicates. A text
// that does not parse gives what was found up to there.
[[nodiscard]] std::vector<std::string> referenced_names(std::string_view text);

// What the sandbox is created with: every setting, expanded. Values that are empty are left out.
// Errors: invalid, all of them, with their positions.
[[nodiscard]] Result<EnvMap> creation_environment(const Config& config,
                                                  const Environment& environment);

// What one `alca run` adds: the settings with override_on_enter, expanded now.
[[nodiscard]] Result<EnvMap> enter_environment(const Config& config,
                                               const Environment& environment);

// The names that every sandbox gets from the host unless the file says otherwise: TERM, LANG, ...
[[nodiscard]] const std::vector<std::string_view>& builtin_environment();

}  // namespace alca::config

#endif
