#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <vector>

#include "core/cli/command.hpp"
#include "core/cli/session.hpp"
#include "core/os/interrupt.hpp"

namespace alca::cli {
namespace {

struct Row {
    std::string name, status, project_id, project_path, created, runtime;
};

std::string label(const SandboxStatus& sandbox, const char* name) {
    const auto found = sandbox.labels.find(name);
    return found == sandbox.labels.end() ? "" : found->second;
}

std::string_view short_state(SandboxState state) {
    if (state == SandboxState::running) return "running";
    return state == SandboxState::stopped || state == SandboxState::created ? "stopped" : "unknown";
}

Row make_row(const SandboxStatus& sandbox, const std::string& runtime) {
    return {.name = sandbox.name,
            .status = std::string(short_state(sandbox.state)),
            .project_id = label(sandbox, "alca.project.id"),
            .project_path = label(sandbox, "alca.project.path"),
            .created = sandbox.created_at,
            .runtime = runtime};
}

std::string table(const std::vector<Row>& rows) {
    constexpr std::size_t kShortId = 12;
    constexpr std::size_t kShortTime = 19;
    constexpr const char* kLine = "{:<20} {:<8} {:<13} {:<40} {}\n";
    std::string text =
        fmt::format(kLine, "NAME", "STATUS", "PROJECT ID", "PROJECT PATH", "CREATED");
    for (const Row& row : rows) {
        text += fmt::format(kLine, row.name, row.status, row.project_id.substr(0, kShortId),
                            row.project_path.empty() ? "(unknown)" : row.project_path,
                            row.created.substr(0, kShortTime));
    }
    return text;
}

Json to_list(const std::vector<Row>& rows) {
    Json list = Json::array();
    for (const Row& row : rows) {
        list.push_back({{"name", row.name},
                        {"status", row.status},
                        {"project_id", row.project_id},
                        {"project_path", row.project_path},
                        {"created", row.created},
                        {"runtime", row.runtime}});
    }
    return list;
}

// One engine that does not answer never hides the others; it is told on stderr.
std::vector<Row> collect(Session& session) {
    std::vector<Row> rows;
    for (const auto* plugin : session.loader().catalog().providers("alca.runtime/1")) {
        auto chosen = session.choose_runtime(plugin->id, "");
        if (!chosen) {
            session.console().warn(chosen.error().message);
            continue;
        }
        const auto probe = chosen->runtime->probe(session.call());
        if (!probe || !probe->available) {
            session.console().warn(probe ? probe->reason : probe.error().message);
            continue;
        }
        const auto sandboxes = chosen->runtime->list(session.call());
        if (!sandboxes) {
            session.console().warn(sandboxes.error().message);
            continue;
        }
        for (const SandboxStatus& sandbox : *sandboxes) {
            rows.push_back(make_row(sandbox, plugin->id));
        }
    }
    std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
        return std::tie(a.project_path, a.name) < std::tie(b.project_path, b.name);
    });
    return rows;
}

int list(Program& program, bool as_json) {
    const auto interrupt = os::Interrupt::watch();
    if (!interrupt) return report(interrupt.error());
    Session session(program, /*quiet=*/true, interrupt->cancel_fd());
    const std::vector<Row> rows = collect(session);
    if (as_json) {
        print(dump({{"sandboxes", to_list(rows)}}) + "\n");
    } else {
        print(rows.empty() ? "No Alcatraz containers found.\n" : table(rows));
    }
    return exit_ok;
}

}  // namespace

void add_list(CLI::App& app, Program& program) {
    auto* command = app.add_subcommand("list", "List the sandboxes of all projects");
    auto as_json = std::make_shared<bool>(false);
    command->add_flag("--json", *as_json, "Machine-readable (schema: list.schema.json)");
    command->footer(
        "Examples:\n"
        "  alca list\n"
        "  alca list --json | jq -r '.sandboxes[].project_path'");
    command->callback([&program, as_json] {
        program.command = [&program, as_json] { return list(program, *as_json); };
    });
}

}  // namespace alca::cli
