// core/cli/host.hpp - facts about the caller and the machine.
#ifndef ALCA_CORE_CLI_HOST_HPP
#define ALCA_CORE_CLI_HOST_HPP

#include <string_view>
#include <vector>

#include "core/cli/command.hpp"
#include "core/flow/context.hpp"

namespace alca::cli {

// Never fails: what cannot be read stays empty.
[[nodiscard]] flow::Host look_at_host(const Program& program);

// The addresses of the `nameserver` lines of a resolv.conf.
[[nodiscard]] std::vector<std::string> parse_resolvers(std::string_view resolv_conf);

// The directory above the one that the running program is in. Errors fall back to "/usr".
[[nodiscard]] fs::path program_prefix();

}  // namespace alca::cli

#endif
