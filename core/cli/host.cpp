#include "core/cli/host.hpp"

#include <arpa/inet.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <system_error>

#include "core/os/file.hpp"
#include "core/os/resolve.hpp"

namespace alca::cli {
namespace {

constexpr std::size_t kMaxResolvConfBytes = std::size_t{64} * 1024;
constexpr std::string_view kBlanks = " \t\r";

bool is_address(const std::string& text) {
    std::array<unsigned char, sizeof(in6_addr)> buffer{};
    return ::inet_pton(AF_INET, text.c_str(), buffer.data()) == 1 ||
           ::inet_pton(AF_INET6, text.c_str(), buffer.data()) == 1;
}

bool is_loopback(const std::string& address) {
    return address.starts_with("127.") || address == "::1";
}

std::vector<std::string> resolvers_of(const fs::path& file) {
    const auto text = os::read_file(file, kMaxResolvConfBytes);
    return text ? parse_resolvers(*text) : std::vector<std::string>();
}

}  // namespace

std::vector<std::string> parse_resolvers(std::string_view resolv_conf) {
    constexpr std::string_view kKeyword = "nameserver";
    std::vector<std::string> addresses;
    while (!resolv_conf.empty()) {
        const auto end = std::min(resolv_conf.find('\n'), resolv_conf.size());
        std::string_view line = resolv_conf.substr(0, end);
        resolv_conf.remove_prefix(std::min(end + 1, resolv_conf.size()));
        if (line.substr(0, kKeyword.size()) != kKeyword) continue;
        line.remove_prefix(kKeyword.size());
        const auto begin = line.find_first_not_of(kBlanks);
        // A keyword with something glued to it is another keyword.
        if (begin == 0 || begin == std::string_view::npos) continue;
        line.remove_prefix(begin);
        std::string address(line.substr(0, line.find_first_of(kBlanks)));
        if (is_address(address)) addresses.push_back(std::move(address));
    }
    return addresses;
}

fs::path program_prefix() {
    std::error_code error;
    const fs::path program = fs::read_symlink("/proc/self/exe", error);
    return error ? fs::path("/usr") : program.parent_path().parent_path();
}

flow::Host look_at_host(const Program& program) {
    flow::Host host;
    host.uid = ::getuid();
    host.gid = ::getgid();
    host.init_program = program.prefix / "libexec" / "alca" / "alca-init";
    host.net_helper_archive = program.prefix / "libexec" / "alca" / "alca-net.tar";
    host.environment = program.environment;
    host.resolve = os::resolve;
    host.resolvers = resolvers_of("/etc/resolv.conf");
    if (std::all_of(host.resolvers.begin(), host.resolvers.end(), is_loopback)) {
        // A local forwarder: engines give a container the resolvers behind it.
        for (std::string& address : resolvers_of("/run/systemd/resolve/resolv.conf")) {
            host.resolvers.push_back(std::move(address));
        }
    }
    return host;
}

}  // namespace alca::cli
