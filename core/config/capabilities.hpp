// core/config/capabilities.hpp - the names of capabilities, and the sets that we start from.
#ifndef ALCA_CORE_CONFIG_CAPABILITIES_HPP
#define ALCA_CORE_CONFIG_CAPABILITIES_HPP

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "alca/result.hpp"

namespace alca::config {

// All that linux/capability.h names, without the prefix CAP_.
[[nodiscard]] const std::vector<std::string_view>& all_capabilities();

// What a sandbox has with no configuration.
[[nodiscard]] const std::vector<std::string_view>& default_capabilities();

// Docker's own default less NET_RAW: what `caps.drop` is taken from unless it has ALL.
[[nodiscard]] const std::vector<std::string_view>& engine_capabilities();

// "net_admin", "CAP_NET_ADMIN", "all" -> "NET_ADMIN", "ALL". Errors: invalid (not known), with a
// suggestion.
[[nodiscard]] Result<std::string> parse_capability(std::string_view text);

// The exact set of the table form. ALL is allowed in both lists, as in Docker: drop ALL leaves only
// `add`; add ALL without it leaves all but `drop`. Both lists hold parsed names.
[[nodiscard]] std::set<std::string> effective_capabilities(const std::vector<std::string>& drop,
                                                           const std::vector<std::string>& add);

}  // namespace alca::config

#endif
