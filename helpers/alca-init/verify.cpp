#include "verify.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/vm_sockets.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "bytes.hpp"
#include "fd.hpp"
#include "files.hpp"
#include "probe.hpp"
#include "text.hpp"

namespace alca::init {
namespace {

constexpr std::size_t kMaxProcBytes = std::size_t{4} << 20;

bool fail(std::string_view what, std::string_view why) {
    complain("alca-init", {"cannot read ", what, ": ", why});
    return false;
}

// Adds a line to the report.
bool add_line(Bytes& report, std::initializer_list<std::string_view> parts) {
    bool is_done = true;
    for (const std::string_view part : parts) is_done = is_done && report.append(part);
    return (is_done && report.append("\n")) || fail("what was found", "out of memory");
}

std::string_view trim(std::string_view text) {
    static constexpr std::string_view kBlank = " \t";
    const std::size_t start = text.find_first_not_of(kBlank);
    if (start == std::string_view::npos) return {};
    return text.substr(start, text.find_last_not_of(kBlank) - start + 1);
}

bool add_status(Bytes& report) {
    static constexpr const char* kPath = "/proc/self/status";
    // The last is missing before Linux 5.9 and says nothing that "Seccomp" does not.
    static constexpr std::array<std::string_view, 10> kFields = {
        "Uid",    "Gid",    "CapInh",     "CapPrm",  "CapEff",
        "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "Seccomp_filters"};
    Bytes status;
    if (!read_file(kPath, kMaxProcBytes, status)) return fail(kPath, describe_error(errno).view());
    std::size_t found = 0;
    for (const std::string_view field : kFields) {
        std::string_view rest = status.view();
        while (!rest.empty()) {
            const std::string_view line = take_line(rest);
            const std::size_t colon = line.find(':');
            if (colon == std::string_view::npos || line.substr(0, colon) != field) continue;
            if (!add_line(report, {"status ", field, " ", trim(line.substr(colon + 1))}))
                return false;
            ++found;
            break;
        }
    }
    return found + 1 >= kFields.size() || fail(kPath, "a field is missing; use a newer kernel");
}

bool add_mounts(Bytes& report) {
    static constexpr const char* kPath = "/proc/self/mountinfo";
    Bytes mounts;
    if (!read_file(kPath, kMaxProcBytes, mounts)) return fail(kPath, describe_error(errno).view());
    std::string_view rest = mounts.view();
    while (!rest.empty()) {
        if (!add_line(report, {"mount ", take_line(rest)})) return false;
    }
    return true;
}

unsigned count_bits(const void* mask, std::size_t size) {
    unsigned bits = 0;
    for (std::size_t i = 0; i < size; ++i)
        bits += static_cast<unsigned>(std::popcount(static_cast<const std::uint8_t*>(mask)[i]));
    return bits;
}

bool add_address(const ifaddrs& entry, Bytes& report) {
    if (entry.ifa_addr == nullptr || entry.ifa_netmask == nullptr) return true;
    const int family = entry.ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) return true;
    sockaddr_in6 v6{};
    sockaddr_in6 v6_mask{};
    sockaddr_in v4{};
    sockaddr_in v4_mask{};
    std::array<char, INET6_ADDRSTRLEN> address{};
    unsigned prefix = 0;
    if (family == AF_INET) {
        std::memcpy(&v4, entry.ifa_addr, sizeof v4);
        std::memcpy(&v4_mask, entry.ifa_netmask, sizeof v4_mask);
        ::inet_ntop(AF_INET, &v4.sin_addr, address.data(), address.size());
        prefix = count_bits(&v4_mask.sin_addr, sizeof v4_mask.sin_addr);
    } else {
        std::memcpy(&v6, entry.ifa_addr, sizeof v6);
        std::memcpy(&v6_mask, entry.ifa_netmask, sizeof v6_mask);
        ::inet_ntop(AF_INET6, &v6.sin6_addr, address.data(), address.size());
        prefix = count_bits(&v6_mask.sin6_addr, sizeof v6_mask.sin6_addr);
    }
    return add_line(report, {"interface ", entry.ifa_name, family == AF_INET ? " 4 " : " 6 ",
                             address.data(), "/", Number(prefix).view()});
}

bool add_interfaces(Bytes& report) {
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) != 0) return fail("network addresses", describe_error(errno).view());
    bool is_done = true;
    for (const ifaddrs* entry = list; entry != nullptr && is_done; entry = entry->ifa_next)
        is_done = add_address(*entry, report);
    ::freeifaddrs(list);
    return is_done;
}

bool add_ipv6_switch(Bytes& report) {
    static constexpr const char* kPath = "/proc/sys/net/ipv6/conf/all/disable_ipv6";
    Bytes value;
    if (!read_file(kPath, kMaxProcBytes, value)) {
        // A kernel without IPv6 has no such file.
        if (errno != ENOENT) return fail(kPath, describe_error(errno).view());
        return add_line(report, {"inet6-disabled 1"});
    }
    std::string_view rest = value.view();
    return add_line(report, {"inet6-disabled ", take_line(rest)});
}

// Families that lead past the packet filter: to the hypervisor, or below it.
bool add_sockets(Bytes& report) {
    struct Kind {
        std::string_view name;
        int family;
        int type;
    };
    static constexpr std::array<Kind, 3> kKinds = {Kind{"AF_VSOCK", AF_VSOCK, SOCK_STREAM},
                                                   Kind{"AF_PACKET", AF_PACKET, SOCK_RAW},
                                                   Kind{"AF_XDP", AF_XDP, SOCK_RAW}};
    for (const Kind& kind : kKinds) {
        const Fd socket(::socket(kind.family, kind.type | SOCK_CLOEXEC, 0));
        const std::string_view result = socket.is_open() ? "ok" : error_name(errno);
        if (!add_line(report, {"socket ", kind.name, " ", result})) return false;
    }
    return true;
}

bool add_probe(std::string_view address, Bytes& report) {
    Text answer;
    if (!probe(address, answer)) {
        complain("alca-init", {"cannot probe ", address, ": ", answer.view()});
        return false;
    }
    return add_line(report, {"probe ", address, " ", answer.view()});
}

}  // namespace

int run_verify(std::span<char* const> arguments) {
    if (arguments.size() % 2 != 0) {
        complain("alca-init", {"verify takes only --probe ADDRESS, any number of times"});
        return 2;
    }
    Bytes report;
    bool is_done = add_status(report) && add_mounts(report) && add_interfaces(report) &&
                   add_ipv6_switch(report) && add_sockets(report);
    for (std::size_t i = 0; i < arguments.size() && is_done; i += 2) {
        if (std::string_view(arguments[i]) != "--probe") {
            complain("alca-init", {"unknown option ", arguments[i], "; verify knows only --probe"});
            return 2;
        }
        is_done = add_probe(arguments[i + 1], report);
    }
    return is_done && write_all(STDOUT_FILENO, report.view()) ? 0 : 1;
}

}  // namespace alca::init
