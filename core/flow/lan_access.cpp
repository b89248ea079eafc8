#include "core/flow/lan_access.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace alca::flow {
namespace {

constexpr std::uint16_t kDnsPort = 53;

// What a name must not stand for without being seen at the approval: this machine, link-local and
// metadata addresses, multicast, and spellings of IPv4 in IPv6.
bool must_be_written_out(const std::string& address) {
    std::array<unsigned char, sizeof(in6_addr)> bytes{};
    if (::inet_pton(AF_INET, address.c_str(), bytes.data()) == 1) {
        const bool metadata = address == "168.63.129.16" || address.starts_with("192.0.0.");
        const bool link_local = bytes[0] == 169 && bytes[1] == 254;
        return bytes[0] == 0 || bytes[0] == 127 || bytes[0] >= 224 || link_local || metadata;
    }
    // Only fc00::/7 and 2000::/3 hold hosts that a name may stand for.
    const bool is_v6 = ::inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1;
    return !is_v6 || ((bytes[0] & 0xfe) != 0xfc && (bytes[0] & 0xe0) != 0x20);
}

Result<std::vector<std::string>> look_up(const Context& context, const std::string& name) {
    auto found = context.host.resolve(name, context.call.cancel_fd());
    if (!found) return fail(found.error(), "lan-access");
    const auto bad = std::find_if(found->begin(), found->end(), must_be_written_out);
    if (bad != found->end()) {
        return fail(Code::invalid,
                    fmt::format("lan-access: {} stands for {} here, which must be written out; for "
                                "this machine write ${{alca:HOST_IP}}",
                                name, *bad));
    }
    return found;
}

}  // namespace

Result<LanAccess> lan_access(const Context& context, const config::Config& config) {
    LanAccess access;
    std::map<std::string, std::vector<std::string>> names;
    for (const config::LanRule& rule : config.network.lan_access) {
        if (rule.name.empty()) {
            access.allow.push_back(rule.rule);
            continue;
        }
        if (!names.contains(rule.name)) {
            auto found = look_up(context, rule.name);
            if (!found) return fail(found.error());
            names.emplace(rule.name, std::move(*found));
        }
        for (const std::string& address : names.at(rule.name)) {
            AllowRule allowed = rule.rule;
            allowed.to = address;
            access.allow.push_back(std::move(allowed));
        }
    }
    for (const std::string& address : config.network.dns) {
        access.allow.push_back(
            {.to = address, .protocols = {"tcp", "udp"}, .ports = {{kDnsPort, kDnsPort}}});
    }
    for (auto& [name, addresses] : names) access.names.push_back({name, std::move(addresses)});
    return access;
}

std::vector<std::string> lan_access_changes(const Context& context, const config::Config& config,
                                            const project::State& state) {
    std::vector<std::string> changes;
    if (state.firewall.policy != to_string(NetworkPolicy::internet)) return changes;
    // Only names that an `up` has taken over are asked for: nobody has approved the others yet.
    std::set<std::string> names;
    for (const config::LanRule& rule : config.network.lan_access) names.insert(rule.name);
    names.erase("");
    const auto& were = state.firewall.names;
    const bool same = std::equal(
        were.begin(), were.end(), names.begin(), names.end(),
        [](const project::ResolvedName& was, const std::string& is) { return was.name == is; });
    if (!same) return {"network.lan-access has changed; to take it over, run: alca up"};
    const auto access = lan_access(context, config);
    if (!access) return {access.error().message};
    for (const project::ResolvedName& was : state.firewall.names) {
        const auto now = std::find_if(access->names.begin(), access->names.end(),
                                      [&](const auto& is) { return is.name == was.name; });
        if (now == access->names.end() || now->addresses == was.addresses) continue;
        changes.push_back(fmt::format("{} is {} now; the sandbox may reach {}; run: alca up",
                                      was.name, fmt::join(now->addresses, ", "),
                                      fmt::join(was.addresses, ", ")));
    }
    if (changes.empty() && access->allow != state.firewall.allow) {
        changes.emplace_back("network.lan-access has changed; to take it over, run: alca up");
    }
    return changes;
}

}  // namespace alca::flow
