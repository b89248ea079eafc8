#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "alca/json.hpp"
#include "core/cli/command.hpp"
#include "core/cli/session.hpp"

namespace alca::cli {
namespace {

Json to_json(const plugins::PluginInfo& plugin) {
    return {{"id", plugin.id},
            {"version", plugin.version},
            {"provides", plugin.provides},
            {"summary", plugin.summary},
            {"manifest", plugin.manifest_path.string()},
            {"library", plugin.library_path.string()},
            {"state", plugins::to_string(plugin.state)},
            {"reason", plugin.reason}};
}

std::string describe(const plugins::PluginInfo& plugin) {
    std::string text = fmt::format(
        "ID: {}\nVersion: {}\nProvides: {}\nSummary: {}\nManifest: {}\nLibrary: {}\nState: {}\n",
        plugin.id, plugin.version, fmt::join(plugin.provides, ", "), plugin.summary,
        plugin.manifest_path.string(), plugin.library_path.string(),
        plugins::to_string(plugin.state));
    if (!plugin.reason.empty()) text += fmt::format("Reason: {}\n", plugin.reason);
    return text;
}

// No plugin code runs: everything shown is from manifests and file attributes.
const plugins::Catalog& catalog(Session& session) { return session.loader().catalog(); }

int list(Program& program, bool as_json) {
    Session session(program, /*quiet=*/true, /*cancel_fd=*/-1);
    const plugins::Catalog& all = catalog(session);
    if (as_json) {
        Json plugins = Json::array();
        for (const auto& plugin : all.plugins) plugins.push_back(to_json(plugin));
        print(dump({{"plugins", plugins}, {"ignored", all.ignored}}) + "\n");
        return exit_ok;
    }
    constexpr const char* kLine = "{:<20} {:<10} {:<28} {:<12} {}\n";
    std::string text = fmt::format(kLine, "ID", "VERSION", "PROVIDES", "STATE", "PATH");
    for (const auto& plugin : all.plugins) {
        text += fmt::format(kLine, plugin.id, plugin.version,
                            fmt::format("{}", fmt::join(plugin.provides, ",")),
                            plugins::to_string(plugin.state), plugin.manifest_path.string());
        if (!plugin.reason.empty()) text += fmt::format("  {}\n", plugin.reason);
    }
    for (const std::string& line : all.ignored) text += fmt::format("ignored: {}\n", line);
    print(text);
    return exit_ok;
}

int info(Program& program, const std::string& id, bool as_json) {
    Session session(program, /*quiet=*/true, /*cancel_fd=*/-1);
    const plugins::PluginInfo* plugin = catalog(session).find(id);
    if (plugin == nullptr) {
        return report({Code::not_found,
                       fmt::format("no plugin {} is installed; see: alca plugins list", id)});
    }
    print(as_json ? dump(to_json(*plugin)) + "\n" : describe(*plugin));
    return exit_ok;
}

}  // namespace

void add_plugins(CLI::App& app, Program& program) {
    auto* plugins =
        app.add_subcommand("plugins", "List the installed plugins and why one is not used");
    plugins->require_subcommand(1);
    plugins->footer("Examples:\n  alca plugins list\n  alca plugins info runtime-docker");
    auto as_json = std::make_shared<bool>(false);

    auto* list_command = plugins->add_subcommand("list", "List all plugins; runs no plugin code");
    list_command->add_flag("--json", *as_json, "Machine-readable (schema: plugins.schema.json)");
    list_command->footer("Example:\n  alca plugins list --json | jq -r '.plugins[].id'");
    list_command->callback([&program, as_json] {
        program.command = [&program, as_json] { return list(program, *as_json); };
    });

    auto* info_command = plugins->add_subcommand("info", "Show one plugin");
    auto id = std::make_shared<std::string>();
    info_command->add_option("ID", *id, "The plugin's id, such as runtime-docker")->required();
    info_command->add_flag("--json", *as_json, "Machine-readable");
    info_command->footer("Example:\n  alca plugins info runtime-docker");
    info_command->callback([&program, id, as_json] {
        program.command = [&program, id, as_json] { return info(program, *id, *as_json); };
    });
}

}  // namespace alca::cli
