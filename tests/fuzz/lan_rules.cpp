// The small grammars of the network's settings: each has one canonical form, which means the same.
#include <string>
#include <string_view>

#include "core/config/lan_access.hpp"
#include "core/config/proxy.hpp"
#include "fuzz/support/target.hpp"

namespace alca::fuzz {
namespace {

void check_rule(std::string_view input) {
    const auto parsed = config::parse_lan_rule(input);
    if (!parsed) {
        claim(is_printable(parsed.error().message), "a message is printable");
        return;
    }
    const auto& rule = *parsed;
    if (!rule.has_value()) return;
    claim(is_printable(rule->text) && rule->name.empty() != rule->rule.to.empty(),
          "name or address");
    claim(rule->rule.ports.empty() || !rule->rule.protocols.empty(), "ports have a protocol");
    for (std::size_t i = 0; i < rule->rule.ports.size(); ++i) {
        const PortRange& range = rule->rule.ports[i];
        claim(range.first >= 1 && range.first <= range.last, "ranges go upwards");
        claim(i == 0 || rule->rule.ports[i - 1].last + 1 < range.first, "ranges do not touch");
    }
    const auto again = config::parse_lan_rule(rule->text);
    claim(again && *again == rule, "the canonical form of a rule is the same rule");
}

void check_proxy(std::string_view input) {
    const auto proxy = config::parse_proxy(input);
    if (!proxy) {
        claim(is_printable(proxy.error().message), "a message is printable");
        return;
    }
    claim(proxy->port > 0, "port");
    const auto again = config::parse_proxy(config::proxy_text(*proxy));
    claim(again && again->to == proxy->to && again->port == proxy->port,
          "the canonical form of a proxy is the same proxy");
}

void check_resolver(const std::string& input) {
    const auto resolver = config::parse_resolver(input);
    if (!resolver) {
        claim(is_printable(resolver.error().message), "a message is printable");
        return;
    }
    const auto again = config::parse_resolver(*resolver);
    claim(again && *again == *resolver, "the canonical form of a resolver is the same resolver");
}

}  // namespace

void one_input(std::string_view input) {
    check_rule(input);
    check_proxy(input);
    check_resolver(std::string(input));
}

}  // namespace alca::fuzz
