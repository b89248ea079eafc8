#include "core/flow/lan_access.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

namespace alca::flow {
namespace {

constexpr std::uint16_t kDnsPort = 53;

bool is_loopback(const std::string& address) {
    return address.starts_with("127.") || address == "::1";
}

Result<std::vector<std::string>> look_up(const Context& context, const std::string& name) {
    auto found = context.host.resolve(name, context.call.cancel_fd());
    if (!found) return fail(found.error(), "lan-access");
    if (std::any_of(found->begin(), found->end(), is_loopback)) {
        return fail(Code::invalid, fmt::format("lan-access: {} stands for this machine here; write "
                                               "${{alca:HOST_IP}} instead",
                                               name));
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
