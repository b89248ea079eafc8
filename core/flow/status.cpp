#include "core/flow/status.hpp"

#include <fmt/format.h>

#include "core/flow/lan_access.hpp"
#include "core/flow/protection.hpp"
#include "core/flow/sandbox_spec.hpp"
#include "core/flow/traffic.hpp"
#include "core/flow/verify_sandbox.hpp"

namespace alca::flow {
namespace {

// Of what a status may cost.
constexpr std::chrono::milliseconds kSetuidSearch{300};

// The rules as the kernel holds them now. Without the right to look nothing is claimed.
void report_rules(const Context& context, const project::State& state, std::int64_t pid,
                  IsolationReport& report) {
    if (state.firewall.plugin.empty()) {
        if (report.policy != "open") report.problems.emplace_back("there are no network rules");
        return;
    }
    if (context.firewall == nullptr || context.firewall->id != state.firewall.plugin) {
        report.problems.push_back(
            fmt::format("the firewall plugin {} is not installed any more", state.firewall.plugin));
        return;
    }
    RulesReport rules = look_at_rules(context, state, pid);
    report.layers = describe(rules.host, rules.inside);
    report.host_layer = rules.host;
    report.inside_layer = rules.inside;
    report.problems = std::move(rules.problems);
    report.notes = std::move(rules.notes);
    report.refused = std::move(rules.refused.refused);
}

IsolationReport look_at_isolation(const Context& context, const project::State& state,
                                  const SandboxStatus& sandbox) {
    IsolationReport report;
    report.policy = state.firewall.policy;
    report.unprotected_reason = state.unprotected_reason;
    report_rules(context, state, sandbox.pid, report);
    for (const std::string& weakness : sandbox.weaknesses) {
        report.problems.push_back(fmt::format("undone by: {}", weakness));
    }
    if (sandbox.networks != std::vector<std::string>{state.network.name}) {
        report.problems.emplace_back("joined to another network than its own");
    }
    report.intact = report.problems.empty() && !state.allow_unprotected;
    return report;
}

}  // namespace

Result<StatusReport> status(const Context& context, const config::Config& config,
                            const project::State& state) {
    StatusReport report;
    auto sandbox = context.runtime.runtime.status(context.call, make_ref(state));
    if (!sandbox) return fail(sandbox.error());
    report.sandbox = std::move(*sandbox);
    if (report.sandbox.state == SandboxState::absent) return report;
    if (auto ours = check_ours(report.sandbox, state); !ours) return fail(ours.error());
    if (report.sandbox.state != SandboxState::running) return report;
    report.isolation = look_at_isolation(context, state, report.sandbox);
    for (std::string& change : lan_access_changes(context, config, state)) {
        report.isolation.notes.push_back(std::move(change));
    }
    if (!state.firewall.plugin.empty() && config.network.strict != state.firewall.strict) {
        report.isolation.notes.emplace_back(
            "network.strict has changed; to take it over, run: alca up");
    }
    for (std::string& change : traffic_changes(config, state)) {
        report.isolation.notes.push_back(std::move(change));
    }
    report.run_way = look_at_run_way(context.host, state);
    report.setuid_files =
        project::find_setuid_files(state.directory.path, state.created_at, kSetuidSearch);
    report.drift = project::drift(state.applied_config, config::applied_form(config));
    return report;
}

}  // namespace alca::flow
