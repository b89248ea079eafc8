#include "core/flow/status.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <array>
#include <memory>

#include "core/cli/command.hpp"
#include "core/cli/session.hpp"
#include "core/os/interrupt.hpp"

namespace alca::cli {
namespace {

std::string_view state_text(SandboxState state) {
    switch (state) {
        case SandboxState::running:
            return "Running";
        case SandboxState::created:
        case SandboxState::stopped:
            return "Stopped";
        case SandboxState::absent:
            return "Not created";
        case SandboxState::paused:
            return "Paused";
        case SandboxState::unknown:
            break;
    }
    return "Unknown state";
}

std::string refused_text(const std::map<std::string, std::uint64_t>& refused) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kReasons{
        {{"lan", "to the local network"},
         {"host", "to this host"},
         {"meta", "to link-local and metadata addresses"},
         {"cgnat", "to carrier-NAT addresses"},
         {"mcast", "to multicast and broadcast"},
         {"spoof", "with a false source"},
         {"proto", "of other protocols"},
         {"inbound", "from outside"},
         {"proxy", "that would have passed the proxy by"},
         {"limit", "beyond the limit of new connections"}}};
    std::vector<std::string> parts;
    for (const auto& [reason, words] : kReasons) {
        const auto found = refused.find(std::string(reason));
        if (found == refused.end() || found->second == 0) continue;
        parts.push_back(fmt::format("{} {}", found->second, words));
    }
    if (parts.empty()) return {};
    return fmt::format("  refused packets: {}; see: alca network blocked\n",
                       fmt::join(parts, ", "));
}

std::string isolation_text(const flow::IsolationReport& isolation) {
    std::string text;
    if (isolation.intact && isolation.policy == "open") {
        text = "Isolation: network not blocked (lan-access = [\"*\"]), the rest verified\n";
    } else if (isolation.intact) {
        text = fmt::format("Isolation: intact: {}\n", isolation.layers);
    } else {
        text = "Isolation: NOT INTACT\n";
    }
    if (!isolation.unprotected_reason.empty()) {
        text +=
            fmt::format("  UNPROTECTED (--allow-unprotected): {}\n", isolation.unprotected_reason);
    }
    for (const std::string& problem : isolation.problems) {
        text += fmt::format("  problem: {}\n", problem);
    }
    text += refused_text(isolation.refused);
    for (const std::string& note : isolation.notes) text += fmt::format("  note: {}\n", note);
    return text;
}

std::string sandbox_text(const project::State& state, const flow::StatusReport& report) {
    const SandboxStatus& sandbox = report.sandbox;
    std::string text =
        fmt::format("Project ID: {}\nContainer: {}\n", state.project_id, state_text(sandbox.state));
    if (sandbox.state != SandboxState::running) {
        return text + "Run 'alca up' to start the sandbox.\n";
    }
    constexpr std::size_t kShortId = 12;
    text += fmt::format("  ID: {}\n  Name: {}\n  Image: {}\n  Started: {}\n",
                        sandbox.container_id.substr(0, kShortId), sandbox.name, sandbox.image,
                        sandbox.started_at);
    text += isolation_text(report.isolation);
    for (const fs::path& path : report.setuid_files.paths) {
        text += fmt::format(
            "  warning: {} appeared with a set-user-ID or set-group-ID bit; after alca down, "
            "remove it\n",
            path.string());
    }
    if (!report.setuid_files.complete) {
        text += "  note: not all of the project was searched for set-user-ID files\n";
    }
    if (!report.drift.empty()) {
        text += "Configuration has changed since last container creation:\n";
        for (const project::Change& change : report.drift) {
            text += fmt::format("  {}\n", project::to_line(change));
        }
        text += "Run 'alca up -f' to rebuild with new configuration.\n";
    }
    return text + "Run 'alca run <command>' to execute commands.\n";
}

Json layers_json(const flow::IsolationReport& isolation) {
    Json layers = Json::array();
    const auto add = [&](const char* name, const std::optional<flow::Way>& way) {
        if (way) layers.push_back({{"layer", name}, {"way", flow::to_string(*way)}});
    };
    add("host", isolation.host_layer);
    add("inside", isolation.inside_layer);
    return layers;
}

Json drift_json(const std::vector<project::Change>& changes) {
    Json list = Json::array();
    for (const project::Change& change : changes) {
        list.push_back({{"key", change.key}, {"old", change.old_value}, {"new", change.new_value}});
    }
    return list;
}

Json paths_json(const std::vector<fs::path>& paths) {
    Json list = Json::array();
    for (const fs::path& path : paths) list.push_back(path.string());
    return list;
}

Json run_json(const flow::RunWay& way) {
    return {{"way", way.by_socket ? "socket" : "engine"}, {"reason", way.reason}};
}

// sdk/schema/status.schema.json is the promise.
Json sandbox_json(const project::State& state, const flow::StatusReport& report) {
    const flow::IsolationReport& isolation = report.isolation;
    return {{"project_id", state.project_id},
            {"container",
             {{"state", to_string(report.sandbox.state)},
              {"id", report.sandbox.container_id},
              {"name", report.sandbox.name},
              {"image", report.sandbox.image},
              {"started_at", report.sandbox.started_at}}},
            {"isolation",
             {{"intact", isolation.intact},
              {"policy", isolation.policy},
              {"layer", isolation.layers},
              {"layers", layers_json(isolation)},
              {"problems", isolation.problems},
              {"notes", isolation.notes},
              {"refused", isolation.refused},
              {"unprotected_reason", isolation.unprotected_reason}}},
            {"drift", drift_json(report.drift)},
            {"setuid_files", paths_json(report.setuid_files.paths)},
            {"setuid_files_complete", report.setuid_files.complete}};
}

int print_report(bool as_json, const Json& json, const std::string& text) {
    return print(as_json ? dump(json) + "\n" : text) ? exit_ok : exit_failed;
}

int status(Program& program, bool as_json) {
    const auto interrupt = os::Interrupt::watch();
    if (!interrupt) return report(interrupt.error());
    Session session(program, /*quiet=*/true, interrupt->cancel_fd());
    const auto directory = current_project();
    if (!directory && directory.error().code == Code::not_found) {
        return print_report(
            as_json, {{"initialized", false}},
            "Status: Not initialized\nRun 'alca init' to create a configuration.\n");
    }
    const auto project = open_files(session);
    if (!project) return report(project.error());
    const std::string config = ((*project)->directory.path / project::kConfigFile).string();
    std::string text = fmt::format("Status: Initialized\nConfig: {}\n", config);
    Json json{{"initialized", true}, {"config", config}};
    if (const auto chosen = choose_plugins(session, **project); !chosen) {
        if (chosen.error().code == Code::cancelled) return report(chosen.error());
        json["runtime"] = "";
        json["runtime_reason"] = chosen.error().message;
        return print_report(
            as_json, json,
            text + fmt::format("Runtime: None available\n  {}\n", chosen.error().message));
    }
    const auto& runtime = (*project)->runtime;
    text += fmt::format("Runtime: {}\n", runtime.id);
    json["runtime"] = runtime.id;
    json["runtime_reason"] = runtime.why;
    const auto& state = (*project)->state;
    if (!state || state->phase == project::Phase::absent) {
        json["container"] = {{"state", "absent"}};
        return print_report(as_json, json,
                            text + "State: Not created\nRun 'alca up' to start the sandbox.\n");
    }
    const auto context = (*project)->context(session);
    if (!context) return report(context.error());
    const auto report_or = flow::status(*context, (*project)->config, *state);
    if (!report_or) return report(report_or.error());
    json.update(sandbox_json(*state, *report_or));
    const bool running = report_or->sandbox.state == SandboxState::running;
    if (running) json["run"] = run_json(report_or->run_way);
    print_report(as_json, json, text + sandbox_text(*state, *report_or));
    // Missing protection is never exit 0, also for a script that reads nothing else.
    return running && !report_or->isolation.intact ? exit_failed : exit_ok;
}

}  // namespace

void add_status(CLI::App& app, Program& program) {
    auto* command =
        app.add_subcommand("status", "Show the sandbox and whether its isolation holds");
    auto as_json = std::make_shared<bool>(false);
    command->add_flag("--json", *as_json, "Machine-readable (schema: status.schema.json)");
    command->footer(
        "Exit code 1 when the sandbox is up and its isolation does not hold.\n\n"
        "Examples:\n"
        "  alca status\n"
        "  alca status --json | jq .isolation");
    command->callback([&program, as_json] {
        program.command = [&program, as_json] { return status(program, *as_json); };
    });
}

}  // namespace alca::cli
