// core/flow/status.hpp - what `alca status` and `alca list` report.
#ifndef ALCA_CORE_FLOW_STATUS_HPP
#define ALCA_CORE_FLOW_STATUS_HPP

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/config/config.hpp"
#include "core/flow/context.hpp"
#include "core/flow/layers.hpp"
#include "core/flow/run_way.hpp"
#include "core/project/drift.hpp"
#include "core/project/setuid_files.hpp"

namespace alca::flow {

struct IsolationReport {
    std::string layers;             // for people, "" = nothing
    std::optional<Way> host_layer;  // by which way each was read
    std::optional<Way> inside_layer;
    std::string policy;                            // "internet" or "open"
    bool intact = false;                           // read from the kernel just now
    std::vector<std::string> problems;             // why not, or what else undoes isolation
    std::map<std::string, std::uint64_t> refused;  // packets by reason, FirewallReport::refused
    std::vector<std::string> notes;                // no fault, but worth an `alca up`
    std::string unprotected_reason;  // of a sandbox that was started with --allow-unprotected
};

struct StatusReport {
    SandboxStatus sandbox;
    IsolationReport isolation;
    RunWay run_way;  // of a running sandbox
    std::vector<project::Change> drift;
    project::SetuidFiles setuid_files;  // that appeared in the project while the sandbox was there
};

// Looks and changes nothing. `state` says what should be there.
[[nodiscard]] Result<StatusReport> status(const Context& context, const config::Config& config,
                                          const project::State& state);

}  // namespace alca::flow

#endif
