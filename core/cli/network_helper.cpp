#include "core/flow/network_helper.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "core/cli/command.hpp"
#include "core/cli/session.hpp"
#include "core/os/interrupt.hpp"

namespace alca::cli {
namespace {

constexpr const char* kDockerSocket = "/var/run/docker.sock";

fs::path source_of(const Program& program) {
    return program.prefix / "libexec" / "alca" / "alca-network-helper";
}

// Whoever may use the engine has more rights through it than the helper gives.
std::string engine_group() {
    struct stat info{};
    if (::stat(kDockerSocket, &info) == 0 && info.st_gid != 0) {
        const struct group* entry = ::getgrgid(info.st_gid);
        if (entry != nullptr) return entry->gr_name;
    }
    return "docker";
}

// How many sandboxes the kernel holds, as far as the caller may know.
std::string rules_text(Session& session) {
    const auto firewall = [&]() -> Result<std::vector<std::string>> {
        static_cast<void>(session.loader());
        auto chosen = session.choose_firewall("");
        if (!chosen) return fail(chosen.error());
        if (!*chosen) return fail("no firewall plugin");
        return (*chosen)->firewall->list(session.call());
    }();
    if (!firewall) return "not known (needs root)";
    return firewall->empty() ? "No" : fmt::format("Yes ({} sandboxes)", firewall->size());
}

int status(Program& program, bool as_json) {
    const auto interrupt = os::Interrupt::watch();
    if (!interrupt) return report(interrupt.error());
    Session session(program, /*quiet=*/true, interrupt->cancel_fd());
    const auto helper =
        flow::look_at_network_helper(source_of(program), flow::kInstalledNetworkHelper);
    if (!helper) return report(helper.error());
    if (as_json) {
        const Json json{{"installed", helper->installed},
                        {"needs_update", helper->needs_update},
                        {"path", flow::kInstalledNetworkHelper},
                        {"group", helper->group},
                        {"problem", helper->problem}};
        return print(dump(json) + "\n") ? exit_ok : exit_failed;
    }
    std::string text = "Network Helper\n";
    text += fmt::format("Status: {}\n", helper->installed ? "Installed" : "Not installed");
    if (helper->needs_update) text += "Update: Available; run: sudo alca network-helper install\n";
    text += "Helper Summary:\n";
    text += fmt::format("  Installed: {}\n", helper->installed ? "Yes" : "No");
    if (helper->installed) {
        text += fmt::format("  Program: {}\n  For members of: {}\n", flow::kInstalledNetworkHelper,
                            helper->group);
    }
    if (!helper->problem.empty()) text += fmt::format("  Problem: {}\n", helper->problem);
    text += fmt::format("  Rules applied: {}\n", rules_text(session));
    return print(text) ? exit_ok : exit_failed;
}

// True: go on. Who cannot be asked has not said no: that is an error, or a script would take it for
// done.
Result<bool> agreed(Console& console, bool yes) {
    if (yes) return true;
    const auto answer = console.confirm("Continue?");
    if (!answer) return fail(Code::denied, "there is no terminal to ask on; say --yes");
    return *answer;
}

int install(Program& program, const std::string& wanted_group, bool yes) {
    const auto interrupt = os::Interrupt::watch();
    if (!interrupt) return report(interrupt.error());
    Console console(/*quiet=*/false, interrupt->cancel_fd());
    const fs::path source = source_of(program);
    const auto before = flow::look_at_network_helper(source, flow::kInstalledNetworkHelper);
    if (!before) return report(before.error());
    const auto group = flow::group_called(wanted_group.empty() ? engine_group() : wanted_group);
    if (!group) return report(group.error());
    if (before->installed && !before->needs_update && before->group == *group) {
        console.notice("Network helper already installed and up to date.");
        return exit_ok;
    }
    console.notice(fmt::format(
        "This copies a program to {}, with the capability CAP_NET_ADMIN, to be started by root and "
        "members of the group {} only. It puts up and takes down network rules of their own "
        "sandboxes and nothing else; other rules of this machine stay as they are.",
        flow::kInstalledNetworkHelper, *group));
    const auto go_on = agreed(console, yes);
    if (!go_on) return report(go_on.error());
    if (!*go_on) return exit_ok;
    const auto done = flow::install_network_helper(source, flow::kInstalledNetworkHelper, *group);
    if (!done) return report(done.error());
    console.success("Network helper installed.");
    return exit_ok;
}

int uninstall(bool yes) {
    const auto interrupt = os::Interrupt::watch();
    if (!interrupt) return report(interrupt.error());
    Console console(/*quiet=*/false, interrupt->cancel_fd());
    const auto before = flow::look_at_network_helper("", flow::kInstalledNetworkHelper);
    if (!before) return report(before.error());
    if (!before->installed) {
        console.notice("Network helper not installed.");
        return exit_ok;
    }
    console.notice(fmt::format("This removes {}. Rules that are up stay until 'alca down'.",
                               flow::kInstalledNetworkHelper));
    const auto go_on = agreed(console, yes);
    if (!go_on) return report(go_on.error());
    if (!*go_on) return exit_ok;
    const auto done = flow::uninstall_network_helper(flow::kInstalledNetworkHelper);
    if (!done) return report(done.error());
    console.success("Network helper uninstalled.");
    return exit_ok;
}

}  // namespace

void add_network_helper(CLI::App& app, Program& program) {
    auto* helper = app.add_subcommand("network-helper",
                                      "Let users of the engine put up network rules without root");
    helper->require_subcommand(1);
    helper->footer(
        "Without it, and without root, rules are put up through a container, which takes "
        "longer.\n\n"
        "Examples:\n"
        "  sudo alca network-helper install\n"
        "  alca network-helper status");

    auto* add = helper->add_subcommand("install", "Install or update it; needs root");
    auto yes = std::make_shared<bool>(false);
    auto group = std::make_shared<std::string>();
    add->add_flag("-y,--yes", *yes, "Do not ask");
    add->add_option("--group", *group,
                    "Who may use it (default: the group of the engine's socket)");
    add->footer("Example:\n  sudo alca network-helper install --yes");
    add->callback([&program, yes, group] {
        program.command = [&program, yes, group] { return install(program, *group, *yes); };
    });

    auto* remove = helper->add_subcommand("uninstall", "Remove it; needs root");
    auto yes_remove = std::make_shared<bool>(false);
    remove->add_flag("-y,--yes", *yes_remove, "Do not ask");
    remove->footer("Example:\n  sudo alca network-helper uninstall --yes");
    remove->callback([&program, yes_remove] {
        program.command = [yes_remove] { return uninstall(*yes_remove); };
    });

    auto* look = helper->add_subcommand("status", "Say whether it is installed and up to date");
    auto as_json = std::make_shared<bool>(false);
    look->add_flag("--json", *as_json, "Machine-readable (schema: network-helper.schema.json)");
    look->footer("Example:\n  alca network-helper status");
    look->callback([&program, as_json] {
        program.command = [&program, as_json] { return status(program, *as_json); };
    });
}

}  // namespace alca::cli
