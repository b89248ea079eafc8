#include "core/flow/inside.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <set>

#include "core/os/capabilities.hpp"

namespace alca::flow {
namespace {

using Problems = std::vector<std::string>;

// Takes the first word off `line`.
std::string_view take_word(std::string_view& line) {
    const auto end = std::min(line.find(' '), line.size());
    const std::string_view word = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
    return word;
}

std::vector<std::string_view> words_of(std::string_view line) {
    std::vector<std::string_view> words;
    while (!line.empty()) words.push_back(take_word(line));
    return words;
}

// The kernel writes space, tab, newline and backslash in mountinfo as three octal digits.
std::string unescape_octal(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        int value = 0;
        const char* const digits = text.data() + i + 1;
        if (text[i] == '\\' && i + 3 < text.size() &&
            std::from_chars(digits, digits + 3, value, 8).ec == std::errc{}) {
            out.push_back(static_cast<char>(value));
            i += 3;
        } else {
            out.push_back(text[i]);
        }
    }
    return out;
}

struct MountLine {
    std::string target;
    bool read_only = false;
};

std::optional<MountLine> parse_mount(std::string_view line) {
    // id parent major:minor root mount-point options [optional...] - type source super-options
    const auto fields = words_of(line);
    if (fields.size() < 6) return std::nullopt;
    const std::string_view options = fields[5];
    return MountLine{unescape_octal(fields[4]), options == "ro" || options.substr(0, 3) == "ro,"};
}

bool is_at_or_below(std::string_view path, std::string_view directory) {
    return path.substr(0, directory.size()) == directory &&
           (path.size() == directory.size() || path[directory.size()] == '/');
}

// Mounts that every engine makes in every container.
bool is_engine_mount(std::string_view target) {
    constexpr std::array<std::string_view, 3> kTrees{"/proc", "/dev", "/sys"};
    constexpr std::array<std::string_view, 4> kFiles{"/", "/etc/resolv.conf", "/etc/hostname",
                                                     "/etc/hosts"};
    return std::any_of(kTrees.begin(), kTrees.end(),
                       [&](std::string_view tree) { return is_at_or_below(target, tree); }) ||
           std::find(kFiles.begin(), kFiles.end(), target) != kFiles.end();
}

void check_mounts(const InsideFacts& facts, const Expectation& expectation, Problems& problems) {
    const SandboxSpec& spec = expectation.spec;
    std::map<std::string, bool> seen;  // target -> read-only
    for (const std::string& line : facts.mounts) {
        const auto mount = parse_mount(line);
        if (!mount) {
            problems.push_back(fmt::format("a line of mountinfo cannot be read: {}", line));
            continue;
        }
        // The last mount at a place is the one that programs see.
        seen[mount->target] = mount->read_only;
    }
    for (const Mount& wanted : spec.mounts) {
        const auto found = seen.find(wanted.target);
        if (found == seen.end()) {
            problems.push_back(fmt::format("nothing is mounted at {}", wanted.target));
        } else if (wanted.read_only && !found->second) {
            problems.push_back(fmt::format("{} is writable and must be read-only", wanted.target));
        }
    }
    for (const auto& [target, read_only] : seen) {
        const bool wanted = std::any_of(spec.mounts.begin(), spec.mounts.end(),
                                        [&](const Mount& mount) { return mount.target == target; });
        const auto& volumes = expectation.image_volumes;
        const bool declared = std::find(volumes.begin(), volumes.end(), target) != volumes.end();
        if (!wanted && !declared && !is_engine_mount(target)) {
            problems.push_back(fmt::format("{} is mounted though nobody asked for it", target));
        }
    }
}

std::optional<std::uint64_t> hexadecimal(const InsideFacts& facts, std::string_view field) {
    const auto found = facts.status.find(field);
    if (found == facts.status.end()) return std::nullopt;
    std::uint64_t value = 0;
    const std::string& text = found->second;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

void check_privileges(const InsideFacts& facts, const SandboxSpec& spec, Problems& problems) {
    const std::uint64_t wanted = os::capability_mask(spec.capabilities);
    // The helper runs as root inside, so its bounding and effective sets are both the sandbox's
    // own.
    for (const char* field : {"CapBnd", "CapEff", "CapPrm"}) {
        const auto value = hexadecimal(facts, field);
        if (!value || *value != wanted) {
            problems.push_back(
                fmt::format("{} is {:x} and must be {:x}", field, value.value_or(0), wanted));
        }
    }
    for (const char* field : {"CapInh", "CapAmb"}) {
        const auto value = hexadecimal(facts, field);
        if (!value || (*value & ~wanted) != 0) {
            problems.push_back(fmt::format("{} holds capabilities beyond the set", field));
        }
    }
    const auto expect = [&](const char* field, std::string_view value, const char* meaning) {
        const auto found = facts.status.find(field);
        if (found == facts.status.end() || found->second != value) problems.emplace_back(meaning);
    };
    if (spec.no_new_privileges) expect("NoNewPrivs", "1", "setuid programs can gain privileges");
    if (!spec.seccomp.empty()) expect("Seccomp", "2", "no system call filter is in force");
}

void check_sockets(const InsideFacts& facts, Problems& problems) {
    for (const char* family : {"AF_VSOCK", "AF_PACKET", "AF_XDP"}) {
        const auto found = facts.sockets.find(family);
        // EPERM is the filter's own answer; anything else says that the filter did not decide.
        if (found == facts.sockets.end() || found->second != "EPERM") {
            problems.push_back(fmt::format(
                "{} sockets are not refused by the system call filter ({})", family,
                found == facts.sockets.end() ? std::string("not tried") : found->second));
        }
    }
}

bool is_prohibited(const std::string& address, const std::string& answer, bool inside) {
    // The namespace's own rules refuse the system call.
    if (inside) return answer == "EPERM";
    // "administratively prohibited" as the kernel reports it to a program, per family.
    const bool ipv6 = address.find(':') != std::string::npos;
    return answer == (ipv6 ? "EACCES" : "EHOSTUNREACH");
}

void check_answers(const InsideFacts& facts, const Expectation& expectation, Problems& problems) {
    // With an open network there is no refusal of ours to look for.
    if (!expectation.isolated) return;
    if (expectation.gateways.empty()) {
        problems.emplace_back(
            "the sandbox's gateway address is not known, so nothing can be proved");
    }
    for (const std::string& gateway : expectation.gateways) {
        const auto found = facts.probes.find(gateway);
        const std::string answer = found == facts.probes.end() ? "not tried" : found->second;
        if (is_prohibited(gateway, answer, expectation.inside)) continue;
        problems.push_back(
            fmt::format("a packet to {} was not refused by our rules ({})", gateway, answer));
    }
}

void check_interfaces(const InsideFacts& facts, const Expectation& expectation,
                      Problems& problems) {
    std::set<std::string> names;
    for (const auto& interface : facts.interfaces) {
        if (interface.name == "lo") continue;
        names.insert(interface.name);
        const bool global = interface.family == 6 && interface.address.substr(0, 4) != "fe80";
        if (global && !expectation.spec.network.ipv6) {
            problems.push_back(fmt::format("an IPv6 address ({}) is there without IPv6 asked for",
                                           interface.address));
        }
    }
    if (names.size() > 1) {
        problems.push_back(
            fmt::format("more than one network is joined: {}", fmt::join(names, ", ")));
    }
}

template <class T>
bool same_set(std::vector<T> a, std::vector<T> b, bool (*less)(const T&, const T&)) {
    std::sort(a.begin(), a.end(), less);
    std::sort(b.begin(), b.end(), less);
    return a == b;
}

bool contains_all(const std::map<std::string, std::string>& all,
                  const std::map<std::string, std::string>& wanted) {
    return std::all_of(wanted.begin(), wanted.end(), [&](const auto& item) {
        const auto found = all.find(item.first);
        return found != all.end() && found->second == item.second;
    });
}

}  // namespace

Result<InsideFacts> parse_inside_facts(std::string_view text) {
    InsideFacts facts;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        const std::string whole(line);
        const std::string_view kind = take_word(line);
        if (kind == "mount") {
            facts.mounts.emplace_back(line);
            continue;
        }
        const auto words = words_of(line);
        if (kind == "status" && words.size() >= 2) {
            facts.status.emplace(words[0], words[1]);
        } else if (kind == "socket" && words.size() == 2) {
            facts.sockets.emplace(words[0], words[1]);
        } else if (kind == "probe" && words.size() == 2) {
            facts.probes.emplace(words[0], words[1]);
        } else if (kind == "interface" && words.size() == 3 &&
                   (words[1] == "4" || words[1] == "6")) {
            facts.interfaces.push_back(
                {std::string(words[0]), words[1] == "4" ? 4 : 6, std::string(words[2])});
        } else if (kind != "inet6-disabled") {
            return fail(Code::invalid, fmt::format("unexpected line from the sandbox: {}", whole));
        }
    }
    return facts;
}

std::vector<std::string> check_inside(const InsideFacts& facts, const Expectation& expectation) {
    Problems problems;
    check_privileges(facts, expectation.spec, problems);
    check_mounts(facts, expectation, problems);
    check_sockets(facts, problems);
    check_answers(facts, expectation, problems);
    check_interfaces(facts, expectation, problems);
    return problems;
}

std::vector<std::string> check_effective(const SandboxStatus& status, const SandboxSpec& spec) {
    Problems problems;
    const SandboxSpec& is = status.effective;
    const auto expect = [&](bool holds, const char* what) {
        if (!holds) problems.push_back(fmt::format("the engine did not take over: {}", what));
    };
    expect(status.name == spec.name, "name");
    expect(is.image == spec.image, "image");
    expect(is.init == spec.init, "process 1");
    expect(is.user == spec.user, "user");
    expect(is.workdir == spec.workdir, "working directory");
    expect(is.hostname == spec.hostname, "host name");
    expect(is.dns == spec.dns, "resolvers");
    expect(contains_all(is.env, spec.env), "environment");
    expect(contains_all(status.labels, spec.labels), "labels");
    expect(same_set<Mount>(is.mounts, spec.mounts,
                           [](const Mount& a, const Mount& b) { return a.target < b.target; }),
           "mounts");
    expect(same_set<Port>(is.ports, spec.ports,
                          [](const Port& a, const Port& b) {
                              return std::tie(a.host_ip, a.host_port, a.container_port,
                                              a.protocol) <
                                     std::tie(b.host_ip, b.host_port, b.container_port, b.protocol);
                          }),
           "ports");
    expect(same_set<std::string>(is.capabilities, spec.capabilities,
                                 [](const std::string& a, const std::string& b) { return a < b; }),
           "capabilities");
    expect(is.no_new_privileges == spec.no_new_privileges, "no-new-privileges");
    expect(is.seccomp == spec.seccomp, "system call filter");
    expect(is.pids_limit == spec.pids_limit, "process limit");
    expect(is.memory_bytes == spec.memory_bytes, "memory limit");
    expect(is.nano_cpus == spec.nano_cpus, "CPU limit");
    expect(is.network == spec.network, "network");
    expect(status.networks == std::vector<std::string>{spec.network.name},
           "its own network and no other");
    for (const std::string& weakness : status.weaknesses) {
        problems.push_back(fmt::format("isolation is undone by: {}", weakness));
    }
    return problems;
}

}  // namespace alca::flow
