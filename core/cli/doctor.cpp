#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <memory>
#include <vector>

#include "core/cli/command.hpp"
#include "core/cli/leftovers.hpp"
#include "core/cli/session.hpp"
#include "core/flow/layers.hpp"
#include "core/flow/run_way.hpp"
#include "core/os/interrupt.hpp"

namespace alca::cli {
namespace {

struct Check {
    std::string name;
    bool ok = false;
    std::string found;  // what was seen
    std::string fix;    // what to do; "" when ok
};

// The rules need `reject` before routing and interval keys of several fields.
constexpr int kKernelMajor = 5;
constexpr int kKernelMinor = 9;

Check check_kernel() {
    utsname name{};
    ::uname(&name);
    const std::string release = name.release;
    int major = 0;
    int minor = 0;
    const char* const end = release.data() + release.size();
    const auto first = std::from_chars(release.data(), end, major);
    if (first.ec == std::errc{} && first.ptr != end) std::from_chars(first.ptr + 1, end, minor);
    const bool recent = std::pair(major, minor) >= std::pair(kKernelMajor, kKernelMinor);
    return {
        "kernel", recent, fmt::format("{} {}", name.sysname, name.release),
        recent ? "" : fmt::format("Linux {}.{} or later is needed", kKernelMajor, kKernelMinor)};
}

Check check_program(const char* name, const fs::path& file, int right) {
    const bool there = ::access(file.c_str(), R_OK | right) == 0;
    return {name, there, file.string(), there ? "" : "a part of alca is missing; install it again"};
}

// leftovers: those among the runtime's containers are added. engines: those that can be used.
std::vector<Check> check_runtimes(Session& session, std::vector<Leftover>& leftovers,
                                  std::vector<project::EngineState>& engines) {
    std::vector<Check> checks;
    for (const auto* plugin : session.loader().catalog().providers("alca.runtime/1")) {
        auto chosen = session.choose_runtime(plugin->id, "");
        if (!chosen) {
            checks.push_back({plugin->id, false, "cannot be loaded", chosen.error().message});
            continue;
        }
        const auto probe = chosen->runtime->probe(session.call());
        if (!probe) {
            checks.push_back({plugin->id, false, "no answer", probe.error().message});
        } else if (!probe->available) {
            checks.push_back({plugin->id, false, "not available", probe->reason});
        } else {
            checks.push_back(
                {plugin->id, true,
                 fmt::format("{} {} (API {}) at {} ({})", probe->engine, probe->version,
                             probe->api_version, probe->endpoint, probe->endpoint_from),
                 ""});
            engines.push_back(flow::engine_state(*probe));
            const auto sandboxes = chosen->runtime->list(session.call());
            if (!sandboxes) continue;  // `alca list` tells
            if (auto old = leftover_containers(*sandboxes)) leftovers.push_back(std::move(*old));
        }
    }
    if (checks.empty()) {
        checks.push_back({"runtime", false, "no runtime plugin is installed",
                          "install alca again; see: alca plugins list"});
    }
    return checks;
}

// How the rules of a sandbox could be put up now, for each engine that answers.
std::vector<Check> check_firewall(Session& session, std::vector<project::EngineState> engines) {
    if (engines.empty()) {
        engines.emplace_back();
        engines.back().name = "without an engine";
        engines.back().shares_kernel = true;
    }
    const auto chosen = session.choose_firewall("");
    if (!chosen) return {{"firewall", false, "cannot be loaded", chosen.error().message}};
    const auto& firewall = *chosen;
    if (!firewall.has_value()) {
        return {{"firewall", false, "no firewall plugin is installed", "install alca again"}};
    }
    const flow::FirewallPort port{.id = firewall->id, .firewall = *firewall->firewall};
    std::vector<Check> checks;
    for (const project::EngineState& engine : engines) {
        const auto ways = flow::find_ways(&port, session.host(), session.call(), engine);
        if (!ways) {
            checks.push_back({firewall->id, false, "no answer", ways.error().message});
            continue;
        }
        const bool possible = ways->host || ways->inside;
        const bool slow = ways->host == flow::Way::container && ways->here;
        checks.push_back({firewall->id, possible,
                          engine.name + ": " + flow::describe(ways->host, ways->inside),
                          slow ? "faster: sudo alca network-helper install" : ways->missing});
    }
    return checks;
}

// How commands reach the sandbox of the project that the user is in, if it has one.
std::vector<Check> check_run(Session& session) {
    const auto directory = current_project();
    const auto store = session.store();
    if (!directory || !store) return {};
    const auto loaded = (*store)->load(directory->path);
    if (!loaded) return {};  // `alca status` tells
    const std::optional<project::State>& state = *loaded;
    if (!state || state->phase != project::Phase::ready) return {};
    return {{"run", true, flow::describe(flow::look_at_run_way(session.host(), *state)), ""}};
}

std::vector<Check> check_plugins(Session& session) {
    std::vector<Check> checks;
    for (const auto& plugin : session.loader().catalog().plugins) {
        if (plugin.state == plugins::PluginState::ok ||
            plugin.state == plugins::PluginState::shadowed) {
            continue;
        }
        checks.push_back(
            {plugin.id, false, std::string(plugins::to_string(plugin.state)), plugin.reason});
    }
    return checks;
}

std::string text_of(const std::vector<Leftover>& leftovers) {
    std::string text;
    for (const Leftover& old : leftovers) {
        text += fmt::format("! {:<18} {}: {}\n    {}\n", old.name, old.items.size(),
                            fmt::join(old.items, ", "), old.advice);
    }
    return text;
}

Json to_json(const std::vector<Leftover>& leftovers) {
    Json list = Json::array();
    for (const Leftover& old : leftovers) {
        list.push_back({{"name", old.name},
                        {"count", old.items.size()},
                        {"items", old.items},
                        {"advice", old.advice}});
    }
    return list;
}

// Leftovers do not make the machine unfit: no part in the exit code.
int print_findings(const std::vector<Check>& checks, const std::vector<Leftover>& leftovers,
                   bool as_json) {
    const bool healthy =
        std::all_of(checks.begin(), checks.end(), [](const Check& check) { return check.ok; });
    Json list = Json::array();
    std::string text;
    for (const Check& check : checks) {
        list.push_back(
            {{"name", check.name}, {"ok", check.ok}, {"found", check.found}, {"fix", check.fix}});
        text += fmt::format("{} {:<18} {}\n", check.ok ? "✓" : "✗", check.name, check.found);
        if (!check.fix.empty()) text += fmt::format("    {}\n", check.fix);
    }
    const Json report{{"healthy", healthy}, {"checks", list}, {"leftovers", to_json(leftovers)}};
    print(as_json ? dump(report) + "\n" : text + text_of(leftovers));
    return healthy ? exit_ok : exit_failed;
}

int doctor(Program& program, bool as_json) {
    const auto interrupt = os::Interrupt::watch();
    if (!interrupt) return report(interrupt.error());
    Session session(program, /*quiet=*/true, interrupt->cancel_fd());
    std::vector<Check> checks{check_kernel(),
                              check_program("alca-init", session.host().init_program, X_OK),
                              check_program("alca-net", session.host().net_helper_archive, R_OK)};
    auto leftovers = leftover_files("/");
    std::vector<project::EngineState> engines;
    for (Check& check : check_runtimes(session, leftovers, engines)) {
        checks.push_back(std::move(check));
    }
    for (Check& check : check_firewall(session, engines)) checks.push_back(std::move(check));
    for (Check& check : check_run(session)) checks.push_back(std::move(check));
    for (Check& check : check_plugins(session)) checks.push_back(std::move(check));
    return print_findings(checks, leftovers, as_json);
}

}  // namespace

void add_doctor(CLI::App& app, Program& program) {
    auto* command =
        app.add_subcommand("doctor", "Check engine, kernel and rights, and say what to do");
    auto as_json = std::make_shared<bool>(false);
    command->add_flag("--json", *as_json, "Machine-readable (schema: doctor.schema.json)");
    command->footer(
        "Exit code 1 when something is missing.\n\n"
        "In a project with a sandbox it also says how `alca run` reaches it.\n\n"
        "What the Go tool of the same name has left (rule files, the line that loads them,\n"
        "containers) is named with `!`, and left alone.\n\n"
        "Example:\n  alca doctor");
    command->callback([&program, as_json] {
        program.command = [&program, as_json] { return doctor(program, *as_json); };
    });
}

}  // namespace alca::cli
