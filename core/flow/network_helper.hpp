// core/flow/network_helper.hpp - the installed program that lets users of one group put up network
// rules without root: plugins/firewall-nft/helper.
#ifndef ALCA_CORE_FLOW_NETWORK_HELPER_HPP
#define ALCA_CORE_FLOW_NETWORK_HELPER_HPP

#include <filesystem>
#include <optional>
#include <string>

#include "alca/result.hpp"

namespace alca::flow {

namespace fs = std::filesystem;

// Where the plugin firewall-nft looks for it.
inline constexpr const char* kInstalledNetworkHelper =
    "/usr/local/libexec/alca/alca-network-helper";

struct NetworkHelper {
    bool installed = false;
    bool needs_update = false;  // it is not this version's
    std::string group;          // who may start it; "" = not installed
    std::string problem;        // what is wrong with the installed one; "" = nothing
};

// source: this version's program. Errors: failed.
[[nodiscard]] Result<NetworkHelper> look_at_network_helper(const fs::path& source,
                                                           const fs::path& installed);

// The name of the group that `text`, a name or a number, stands for; the number where it has none.
// Errors: not_found.
[[nodiscard]] Result<std::string> group_called(const std::string& text);

// Puts it there, for `group`; in place of one that is there. Changes nothing else on the machine.
// Errors: denied (not root; others can write to the directory), not_found (no such group, a part of
// alca is missing), unsupported (the file system keeps no capabilities), failed.
[[nodiscard]] Result<void> install_network_helper(const fs::path& source, const fs::path& installed,
                                                  const std::string& group);

// Absent is success. Errors: denied, failed.
[[nodiscard]] Result<void> uninstall_network_helper(const fs::path& installed);

}  // namespace alca::flow

#endif
