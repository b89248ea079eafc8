// core/flow/sandbox_spec.hpp - from configuration and state to what the engine is asked for.
#ifndef ALCA_CORE_FLOW_SANDBOX_SPEC_HPP
#define ALCA_CORE_FLOW_SANDBOX_SPEC_HPP

#include <string>

#include "alca/firewall.hpp"
#include "alca/runtime.hpp"
#include "core/config/config.hpp"
#include "core/flow/context.hpp"
#include "core/project/state.hpp"

namespace alca::flow {

// Who the caller is inside when `user = "host"`.
struct HostUser {
    uid_t uid = 0;
    gid_t gid = 0;
};
// The caller; for root, the owner of the project, so that `sudo alca up` leaves the user's files
// his own. Errors: those of stat on the project.
[[nodiscard]] Result<HostUser> host_user(const Host& host, const fs::path& project);

// Puts a copy of alca-init under a name that is made from its content, and returns its path. A
// sandbox mounts the copy, so that an upgrade of alca changes nothing under a running one. Repeated
// calls find the copy.
[[nodiscard]] Result<fs::path> keep_init_program(const Host& host);

// Everything a sandbox of this project is made from. Pure but for host_user.
// init_program: of keep_init_program. run_directory: of make_run_directory. Errors: invalid (an
// environment value cannot be expanded).
[[nodiscard]] Result<SandboxSpec> make_spec(const config::Config& config,
                                            const project::State& state, const Host& host,
                                            const fs::path& init_program,
                                            const fs::path& run_directory);

// The user that `alca run` runs as: "" = the image's.
[[nodiscard]] Result<std::string> run_user(const config::Config& config, const Host& host);

[[nodiscard]] SandboxRef make_ref(const project::State& state);

// The rules that state.firewall and state.network describe.
// pid: of a process in the sandbox, for FirewallLayer::inside by Way::direct.
[[nodiscard]] FirewallRequest make_firewall_request(const project::State& state,
                                                    FirewallLayer layer = FirewallLayer::host,
                                                    std::int64_t pid = 0);

// The name in the engine of the volume that the configuration calls `volume`.
[[nodiscard]] std::string volume_name(const project::State& state, const std::string& volume);

}  // namespace alca::flow

#endif
