#include "core/config/keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <numeric>

namespace alca::config {
namespace {

using enum Availability;

constexpr std::array kKeys{
    Key{"extends", "array of string", "", "Files this one builds on.", refused},
    Key{"includes", "array of string", "",
        "Files laid over this one; a pattern that matches no file is accepted.", refused},
    Key{"image", "string", "", "Image the sandbox is made from. Required."},
    Key{"workdir", "string", "/workspace", "Absolute path of the project inside the sandbox."},
    Key{"workdir_exclude", "array of string", "",
        "Patterns of project files that the sandbox must not see.", refused},
    Key{"runtime", "string", "auto", "Container engine: auto, or the id of a runtime plugin."},
    Key{"user", "string", "the image's",
        "Who commands run as: \"host\" (your uid and gid), a name, uid, or uid:gid."},
    Key{"stop_timeout", "integer", "2",
        "Seconds that processes have at `alca down` to end by themselves; then they are killed."},
    Key{"commands.up", "string or table", "",
        "Shell text that runs once, as root of the sandbox, after it was made."},
    Key{"commands.up.command", "string", "", "The same, in the table form."},
    Key{"commands.up.append", "boolean", "false",
        "In a file laid over another: add to its text instead of replacing it."},
    Key{"commands.enter", "string or table", "",
        "Shell text in front of each command of `alca run`."},
    Key{"commands.enter.command", "string", "", "The same, in the table form."},
    Key{"commands.enter.append", "boolean", "false", "As commands.up.append."},
    Key{"commands.aliases.<NAME>", "array of string", "",
        "Program and arguments that replace the word NAME of `alca run NAME ...`."},
    Key{"mounts", "array of string or table", "",
        "More of the host inside: \"source:target\", \"source:target:ro\", or a table."},
    Key{"mounts[].source", "string", "",
        "Existing path of the host; ~ and $NAME are expanded, relative to the project."},
    Key{"mounts[].volume", "string", "",
        "Instead of source: name of a volume of this sandbox, kept when it is rebuilt."},
    Key{"mounts[].target", "string", "", "Absolute path inside. Required."},
    Key{"mounts[].readonly", "boolean", "false", "Nothing inside can write there."},
    Key{"mounts[].exclude", "array of string", "",
        "Patterns of files below source that the sandbox must not see.", refused},
    Key{"resources.memory", "string", "no limit", "Memory limit, such as \"512m\" or \"2g\"."},
    Key{"resources.cpus", "integer or float", "no limit", "How many CPUs may be used."},
    Key{"resources.pids", "integer", "4096", "How many processes and threads may exist."},
    Key{"envs.<NAME>", "string or table", "TERM, COLORTERM, LANG, LC_*",
        "Environment variable; ${X} and ${X:-default} are taken from your environment."},
    Key{"envs.<NAME>.value", "string", "", "The same, in the table form."},
    Key{"envs.<NAME>.override_on_enter", "boolean", "false",
        "Take the value anew from your environment on each `alca run`."},
    Key{"network.lan-access", "array of string", "nothing",
        "What the sandbox may reach of the local network and this machine: "
        "\"tcp://10.0.0.5:8000-8100,9000\", a CIDR, a host name, \"${alca:HOST_IP}:5432\"; "
        "\"*\" is everything."},
    Key{"network.dns", "array of string", "as on this machine",
        "Addresses of the resolvers that the sandbox asks; 3 at most."},
    Key{"network.ports", "array of string or table", "",
        "Ports open on this machine: \"port\", \"host:port\", \"ip:host:port\", with /tcp or "
        "/udp."},
    Key{"network.ports[].port", "integer", "", "Port inside. Required."},
    Key{"network.ports[].hostPort", "integer", "port", "Port of this machine."},
    Key{"network.ports[].hostIp", "string", "127.0.0.1", "Address of this machine."},
    Key{"network.ports[].protocol", "string", "tcp", "tcp or udp."},
    Key{"network.proxy", "string", "",
        "Where all TCP connections go instead: \"10.0.0.5:1080\", \"[fd00::5]:1080\", "
        "\"${alca:HOST_IP}:1080\"."},
    Key{"network.limits.bandwidth", "string", "no limit",
        "Bytes a second of each direction, such as \"500k\" or \"20m\"."},
    Key{"network.limits.new-connections", "integer", "no limit",
        "How many connections the sandbox may begin in a second."},
    Key{"network.ipv6", "boolean", "false", "Give the sandbox IPv6 too, with the same limits."},
    Key{"network.strict", "boolean", "false",
        "Forward nothing even when another program takes the network rules away."},
    Key{"caps", "array of string or table", "the six below",
        "Capabilities beyond CHOWN, DAC_OVERRIDE, FOWNER, KILL, SETGID, SETUID."},
    Key{"caps.drop", "array of string", "", "Table form: without ALL, the rest is Docker's set."},
    Key{"caps.add", "array of string", "", "Table form: added after drop."},
    Key{"hooks.post_up", "string", "", "Command of this machine after `alca up`.", refused},
    Key{"hooks.pre_down", "string", "", "Command of this machine before `alca down`.", refused},
};

// Two words that differ only so are one slip apart: hostIp, host_ip, host-ip.
std::string folded(std::string_view word) {
    std::string out;
    for (const char c : word) {
        if (c == '_' || c == '-') continue;
        out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    return out;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t above = row[j];
            const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({above + 1, row[j - 1] + 1, changed});
            diagonal = above;
        }
    }
    return row.back();
}

}  // namespace

std::span<const Key> keys() { return kKeys; }

std::vector<std::string_view> keys_in(std::string_view path) {
    std::vector<std::string_view> found;
    for (const Key& key : kKeys) {
        std::string_view rest = key.name;
        if (!path.empty()) {
            if (!rest.starts_with(path) || rest.substr(path.size(), 1) != ".") continue;
            rest.remove_prefix(path.size() + 1);
        }
        rest = rest.substr(0, rest.find_first_of(".["));
        if (std::find(found.begin(), found.end(), rest) == found.end()) found.push_back(rest);
    }
    return found;
}

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& known) {
    constexpr std::size_t kLongestWord = 64;  // a longer one is no slip, and the work is quadratic
    if (word.size() > kLongestWord) return {};
    const std::string wanted = folded(word);
    std::size_t best = std::min<std::size_t>(wanted.size() / 3 + 1, 3) + 1;
    std::string_view found;
    for (const std::string_view candidate : known) {
        const std::size_t distance = edit_distance(wanted, folded(candidate));
        if (distance >= best || distance >= wanted.size()) continue;
        best = distance;
        found = candidate;
    }
    return found;
}

std::string keys_as_markdown() {
    std::string text = "| key | type | default | meaning |\n|---|---|---|---|\n";
    for (const Key& key : kKeys) {
        text += fmt::format("| `{}` | {} | {} | {}{} |\n", key.name, key.type,
                            key.default_value.empty() ? "none" : key.default_value, key.help,
                            key.availability == refused ? " *Not supported yet.*" : "");
    }
    return text;
}

}  // namespace alca::config
