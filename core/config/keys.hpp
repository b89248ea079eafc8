// core/config/keys.hpp - the one table of all configuration keys.
//
// From it come the check for unknown keys with its suggestions, the table in
// docs/reference/config.md (a test compares) and `alca config explain`.
#ifndef ALCA_CORE_CONFIG_KEYS_HPP
#define ALCA_CORE_CONFIG_KEYS_HPP

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace alca::config {

enum class Availability {
    works,
    refused,  // known, but this version cannot do what it asks for: an error, never ignored
};

struct Key {
    std::string_view name;  // "network.ports[].hostIp"; <NAME> stands for any name
    std::string_view type;
    std::string_view default_value;  // "" = none
    std::string_view help;           // one line
    Availability availability = Availability::works;
};

[[nodiscard]] std::span<const Key> keys();

// The keys that may stand in the table `path`: "" is the file, "network", "mounts[]",
// "envs.<NAME>".
[[nodiscard]] std::vector<std::string_view> keys_in(std::string_view path);

// The one of `known` that `word` is most likely a misspelling of, or "" when none is near.
[[nodiscard]] std::string_view nearest(std::string_view word,
                                       const std::vector<std::string_view>& known);

// The table of docs/reference/config.md, Markdown.
[[nodiscard]] std::string keys_as_markdown();

}  // namespace alca::config

#endif
