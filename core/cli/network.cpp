#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "core/cli/command.hpp"
#include "core/cli/session.hpp"
#include "core/flow/protection.hpp"
#include "core/flow/sandbox_spec.hpp"
#include "core/os/interrupt.hpp"

namespace alca::cli {
namespace {

// The line under lan-access that would allow it.
std::string entry_for(const BlockedTarget& target) {
    const bool v6 = target.address.find(':') != std::string::npos;
    const std::string address = v6 ? "[" + target.address + "]" : target.address;
    return fmt::format("{}://{}:{}", target.protocol, address, target.port);
}

// The most asked for first.
void sort(std::vector<BlockedTarget>& targets) {
    std::sort(targets.begin(), targets.end(), [](const auto& a, const auto& b) {
        return std::tie(b.packets, a.address, a.port, a.protocol) <
               std::tie(a.packets, b.address, b.port, b.protocol);
    });
}

std::string table(const std::vector<BlockedTarget>& targets) {
    if (targets.empty()) return "Nothing was refused within the last hour.\n";
    constexpr const char* kLine = "{:<40} {:<8} {:<6} {:>8}  {}\n";
    std::string text = fmt::format(kLine, "ADDRESS", "PROTOCOL", "PORT", "PACKETS", "TO ALLOW IT");
    for (const BlockedTarget& target : targets) {
        text += fmt::format(kLine, target.address, target.protocol, target.port, target.packets,
                            fmt::format("\"{}\"", entry_for(target)));
    }
    return text +
           "To allow one, add its last column to lan-access under [network] in .alca.toml, then "
           "run: alca up\n";
}

// sdk/schema/network-blocked.schema.json is the promise.
Json to_json(const std::vector<BlockedTarget>& targets) {
    Json list = Json::array();
    for (const BlockedTarget& target : targets) {
        Json row = target;
        row["lan_access"] = entry_for(target);
        list.push_back(std::move(row));
    }
    return {{"blocked", list}};
}

int blocked(Program& program, bool as_json) {
    const auto interrupt = os::Interrupt::watch();
    if (!interrupt) return report(interrupt.error());
    Session session(program, /*quiet=*/true, interrupt->cancel_fd());
    const auto project = open_sandbox(session);
    if (!project) return report(project.error());
    if (*project == nullptr) {
        return report(Error{Code::not_found, "no sandbox is up here; run: alca up"});
    }
    const auto context = (*project)->context(session);
    if (!context) return report(context.error());
    const auto& known = (*project)->state;
    if (!known || known->phase == project::Phase::absent) {
        return report(Error{Code::not_found, "no sandbox is up here; run: alca up"});
    }
    const project::State& state = *known;
    if (context->firewall == nullptr || state.firewall.plugin.empty()) {
        return report(Error{Code::unavailable, "this sandbox has no network rules"});
    }
    const auto status = context->runtime.runtime.status(context->call, flow::make_ref(state));
    if (!status) return report(status.error());
    flow::RulesReport rules = flow::look_at_rules(*context, state, status->pid);
    const bool readable = rules.host || rules.inside;
    for (const std::string& problem : rules.problems) session.console().warn(problem);
    for (const std::string& note : rules.notes) session.console().warn(note);
    if (!readable || !rules.notes.empty()) return exit_failed;
    std::vector<BlockedTarget>& targets = rules.refused.blocked;
    sort(targets);
    return print(as_json ? dump(to_json(targets)) + "\n" : table(targets)) ? exit_ok : exit_failed;
}

}  // namespace

void add_network(CLI::App& app, Program& program) {
    auto* network = app.add_subcommand("network", "Look at what the sandbox may not reach");
    network->require_subcommand(1);
    network->footer(
        "The rules of a sandbox come and go with it; who puts them up without root is\n"
        "`alca network-helper`. What the helper of the Go tool has left is told by `alca "
        "doctor`.\n\n"
        "Examples:\n  alca network blocked");
    auto* command = network->add_subcommand(
        "blocked", "List what was refused within the last hour, and how to allow it");
    auto as_json = std::make_shared<bool>(false);
    command->add_flag("--json", *as_json, "Machine-readable (schema: network-blocked.schema.json)");
    command->footer(
        "TCP and UDP only. A flood is noted at a limited rate, so rare targets stay visible.\n\n"
        "Examples:\n"
        "  alca network blocked\n"
        "  alca network blocked --json | jq -r '.blocked[].lan_access'");
    command->callback([&program, as_json] {
        program.command = [&program, as_json] { return blocked(program, *as_json); };
    });
}

}  // namespace alca::cli
