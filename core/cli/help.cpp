#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "core/cli/command.hpp"
#include "core/cli/console.hpp"
#include "core/config/keys.hpp"

namespace alca::cli {
namespace {

constexpr const char* kNetworkTopic =
    "A sandbox reaches the internet and nothing else: not the local network, not this host by any "
    "of\n"
    "its addresses, not other containers, over IPv4 and IPv6. The host's resolvers answer on port "
    "53.\n"
    "\n"
    "The rules are nftables rules on the bridge of the sandbox's own network. They are in the "
    "kernel\n"
    "before the container is created, and `alca up` proves from inside that they are in the path.\n"
    "A refused connection is an error at once, not a time-out.\n"
    "\n"
    "  [network]\n"
    "  lan-access = [\"tcp://10.0.0.5:8000-8100,9000\", \"nas:445\", \"${alca:HOST_IP}:5432\"]\n"
    "                       what may be reached; `alca up` asks you to approve each\n"
    "  lan-access = [\"*\"]   no blocking\n"
    "  dns = [\"10.0.0.53\"]  resolvers of the sandbox instead of this machine's\n"
    "  ports = [\"8080\"]     publish a port of the sandbox on 127.0.0.1\n"
    "  ipv6 = true          give the sandbox IPv6 as well\n"
    "  strict = true        forward nothing even when another program takes the rules away\n"
    "  proxy = \"10.0.0.5:1080\"\n"
    "                       where all TCP connections go instead; UDP to port 443 is refused\n"
    "  limits.bandwidth = \"20m\"\n"
    "                       bytes a second, of each direction\n"
    "  limits.new-connections = 100\n"
    "                       a second; more are refused\n"
    "\n"
    "`alca status` says whether the rules hold now.\n";

std::string config_topic() {
    std::string text = "Keys of .alca.toml:\n\n";
    for (const config::Key& key : config::keys()) {
        text += fmt::format(
            "  {} ({}){}\n      {}\n", key.name, key.type,
            key.default_value.empty() ? "" : fmt::format(", default {}", key.default_value),
            key.help);
    }
    return text;
}

int help(const CLI::App& app, const std::string& topic) {
    if (topic.empty()) {
        // Not app.help(): that is the help of the command that was chosen, and this is one.
        print(app.get_formatter()->make_help(&app, app.get_name(), CLI::AppFormatMode::Normal));
        return exit_ok;
    }
    if (topic == "config" || topic == "network") {
        print(topic == "config" ? config_topic() : kNetworkTopic);
        return exit_ok;
    }
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
        if (command->get_name() != topic) continue;
        print(command->help(app.get_name()));
        return exit_ok;
    }
    print_error(fmt::format("no help for '{}': name a command, config or network", topic));
    return exit_usage;
}

}  // namespace

void add_help(CLI::App& app, Program& program) {
    auto* command = app.add_subcommand("help", "Explain a command, or a topic: config, network");
    auto topic = std::make_shared<std::string>();
    command->add_option("TOPIC", *topic, "A command, config or network");
    command->footer("Examples:\n  alca help up\n  alca help config");
    command->callback(
        [&app, &program, topic] { program.command = [&app, topic] { return help(app, *topic); }; });
}

}  // namespace alca::cli
