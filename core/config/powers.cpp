#include "core/config/powers.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/config/capabilities.hpp"
#include "core/config/danger.hpp"
#include "core/config/expand.hpp"
#include "core/config/proxy.hpp"
#include "core/config/text.hpp"

namespace alca::config {
namespace {

std::string with_reason(std::string text, const std::string& reason) {
    return reason.empty() ? text : fmt::format("{}: {}", text, reason);
}

// id -> text: sorted, and one entry for what is asked for twice.
using PowerMap = std::map<std::string, std::string>;

// Every sandbox sees its project. That is a power only where the project is a place such as $HOME.
void add_project(const Config& config, PowerMap& out) {
    const std::string reason = danger(config.project_dir, config.home);
    if (reason.empty()) return;
    const std::string path = config.project_dir.string();
    out.emplace(
        fmt::format("project rw {}", path),
        fmt::format("can read and write {} (the project itself): {}", printable(path), reason));
}

void add_mounts(const Config& config, PowerMap& out) {
    for (const MountSetting& setting : config.mounts) {
        const Mount& mount = setting.mount;
        if (mount.source.empty()) continue;
        if (is_within(mount.source, config.project_dir)) {
            // A file that the agent can write then says which name is which user.
            if (!is_within("/etc/passwd", mount.target)) continue;
            out.emplace(fmt::format("users {}", mount.source),
                        fmt::format("decides who is root inside: {} is mounted at {}",
                                    printable(mount.source), printable(mount.target)));
            continue;
        }
        const bool ro = mount.read_only;
        std::string text = fmt::format("can {} {} (mount)", ro ? "read" : "read and write",
                                       printable(mount.source));
        out.emplace(fmt::format("mount {} {}", ro ? "ro" : "rw", mount.source),
                    with_reason(std::move(text), danger(mount.source, config.home)));
    }
}

void add_ports(const Config& config, PowerMap& out) {
    for (const Port& port : config.network.ports) {
        const std::string& ip = port.host_ip;
        const std::string host = ip.find(':') == std::string::npos ? ip : fmt::format("[{}]", ip);
        const bool everywhere = ip.find_first_not_of("0.:") == std::string::npos;
        const bool loopback = ip.starts_with("127.") || ip == "::1";
        const std::string_view who = everywhere ? "on all addresses of this machine: other "
                                                  "machines can connect"
                                     : loopback ? "for programs on this machine"
                                                : "on this address: other machines can connect";
        out.emplace(fmt::format("port {}:{}/{} {}", host, port.host_port, port.protocol,
                                port.container_port),
                    fmt::format("opens {} port {}:{} (port {} inside) {}", port.protocol, host,
                                port.host_port, port.container_port, who));
    }
}

std::string capability_reason(std::string_view name) {
    static const std::map<std::string_view, std::string_view> kReasons{
        {"BPF", "can load programs into the kernel"},
        {"DAC_READ_SEARCH", "can open files of this machine by their number"},
        {"MKNOD", "can make device files"},
        {"NET_ADMIN", "can change its own network and load firewall rules in the kernel"},
        {"NET_RAW", "can forge network packets and read those of others on its network"},
        {"PERFMON", "can watch the kernel and other programs"},
        {"SYSLOG", "can read the kernel's messages"},
        {"SYS_ADMIN", "can usually take over this machine"},
        {"SYS_BOOT", "can restart this machine"},
        {"SYS_MODULE", "can load code into the kernel: full control over this machine"},
        {"SYS_PTRACE", "can read and change other processes of the sandbox"},
        {"SYS_RAWIO", "can reach the hardware: full control over this machine"},
        {"SYS_TIME", "can set the clock of this machine"},
    };
    const auto found = kReasons.find(name);
    return found == kReasons.end() ? "" : std::string(found->second);
}

void add_capabilities(const Config& config, PowerMap& out) {
    const auto& usual = default_capabilities();
    for (const std::string& name : config.caps) {
        if (std::find(usual.begin(), usual.end(), name) != usual.end()) continue;
        out.emplace(
            fmt::format("capability {}", name),
            with_reason(fmt::format("has the capability {}", name), capability_reason(name)));
    }
}

void add_environment(const Config& config, PowerMap& out) {
    const auto& builtin = builtin_environment();
    for (const auto& [variable, setting] : config.envs) {
        for (const std::string& name : referenced_names(setting.value)) {
            if (std::find(builtin.begin(), builtin.end(), name) != builtin.end()) continue;
            out.emplace(fmt::format("env {}", name),
                        fmt::format("gets the value of {} from your environment", name));
        }
    }
}

// "port 80", "ports 80 and 8000 to 8100".
std::string ports_in_words(const std::vector<PortRange>& ranges) {
    std::string text;
    for (std::size_t i = 0; i < ranges.size(); ++i) {
        if (i > 0) text += i + 1 == ranges.size() ? " and " : ", ";
        text += std::to_string(ranges[i].first);
        if (ranges[i].last != ranges[i].first) text += fmt::format(" to {}", ranges[i].last);
    }
    const bool one = ranges.size() == 1 && ranges[0].first == ranges[0].last;
    return (one ? "port " : "ports ") + text;
}

std::string can_reach(const LanRule& rule) {
    std::string target = rule.rule.to;
    if (target == AllowRule::kHost) target = "this machine";
    if (target.find('/') != std::string::npos) target = "the network " + target;
    if (!rule.name.empty()) target = fmt::format("{} (looked up at each 'alca up')", rule.name);
    const std::string protocols = fmt::format("{}", fmt::join(rule.rule.protocols, " and "));
    if (protocols.empty()) return fmt::format("can reach {} by tcp, udp and icmp", target);
    target += " on ";
    if (rule.rule.ports.empty()) return fmt::format("can reach {}every {} port", target, protocols);
    return fmt::format("can reach {}{} {}", target, protocols, ports_in_words(rule.rule.ports));
}

void add_proxy(const Config& config, PowerMap& out) {
    if (!config.network.proxy) return;
    const TcpProxy& proxy = *config.network.proxy;
    const std::string where = proxy.to == TcpProxy::kHost
                                  ? fmt::format("port {} of this machine", proxy.port)
                                  : proxy_text(proxy);
    out.emplace("proxy " + proxy_text(proxy),
                fmt::format("sends all TCP connections to {}, which sees where they go", where));
}

}  // namespace

std::vector<Power> powers(const Config& config) {
    PowerMap found;
    add_project(config, found);
    add_mounts(config, found);
    add_ports(config, found);
    add_capabilities(config, found);
    add_environment(config, found);
    if (const std::int64_t most = config.resources.pids; most > Resources{}.pids) {
        found.emplace(fmt::format("pids {}", most),
                      fmt::format("can run {} processes at once on this machine", most));
    }
    if (config.network.open) {
        found.emplace("lan-access *",
                      "can reach the local network, this machine and other containers");
    }
    for (const LanRule& rule : config.network.lan_access) {
        found.emplace("lan-access " + rule.text, can_reach(rule));
    }
    for (const std::string& address : config.network.dns) {
        found.emplace("dns " + address, fmt::format("asks {} for the addresses of names", address));
    }
    add_proxy(config, found);
    std::vector<Power> out;
    for (auto& [id, text] : found) out.push_back({id, std::move(text)});
    return out;
}

std::vector<Power> unapproved(const std::vector<Power>& wanted,
                              const std::vector<std::string>& approved) {
    std::vector<Power> out;
    for (const Power& power : wanted) {
        if (std::find(approved.begin(), approved.end(), power.id) == approved.end()) {
            out.push_back(power);
        }
    }
    return out;
}

}  // namespace alca::config
