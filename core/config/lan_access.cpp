#include "core/config/lan_access.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include "core/config/text.hpp"

namespace alca::config {
namespace {

constexpr std::string_view kHostToken = "${alca:HOST_IP}";

// One parse: what is left of the text, and how to say what is wrong with it.
class RuleParser {
  public:
    explicit RuleParser(std::string_view text) : text_(text), rest_(text) {}

    Result<LanAccess> parse() {
        if (rest_.empty()) return fail(Code::invalid, "lan-access rule: empty rule string");
        if (rest_ == "*") return LanAccess::everything;
        const std::string_view protocol = take_protocol();
        std::string_view address;
        std::string_view port;
        if (auto split = split_address(address, port); !split) return fail(split.error());
        if (auto checked = check_address(address); !checked) return fail(checked.error());
        if (auto checked = check_port(port); !checked) return fail(checked.error());
        if (protocol.empty() || protocol == "tcp" || protocol == "udp" || protocol == "*") {
            return LanAccess::one_destination;
        }
        return bad("protocol must be tcp, udp or *");
    }

  private:
    [[nodiscard]] tl::unexpected<Error> bad(std::string_view why) const {
        return fail(Code::invalid, fmt::format("lan-access rule {}: {}", in_quotes(text_), why));
    }

    std::string_view take_protocol() {
        const std::size_t end = rest_.find("://");
        if (end == std::string_view::npos) return {};
        const std::string_view protocol = rest_.substr(0, end);
        rest_.remove_prefix(end + 3);
        return protocol.empty() ? "://" : protocol;  // "://x" has a protocol, and it is wrong
    }

    Result<void> split_address(std::string_view& address, std::string_view& port) const {
        if (rest_.starts_with('[')) {
            const std::size_t close = rest_.find(']');
            if (close == std::string_view::npos) return bad("missing closing bracket");
            address = rest_.substr(1, close - 1);
            const std::string_view tail = rest_.substr(close + 1);
            if (address.find(':') == std::string_view::npos) {
                return bad("expected IPv6 address but got IPv4 in brackets");
            }
            if (tail.empty()) return {};
            if (tail[0] != ':') return bad("unexpected characters after IPv6 address");
            port = tail.substr(1);
            return port.empty() ? bad("invalid port") : Result<void>{};
        }
        const std::size_t token = rest_.starts_with(kHostToken) ? kHostToken.size() : 0;
        const std::size_t colon = rest_.find(':', token);
        const bool bare_ipv6 = token == 0 && colon != std::string_view::npos &&
                               rest_.find(':', colon + 1) != std::string_view::npos;
        address = bare_ipv6 ? rest_ : rest_.substr(0, colon);
        if (bare_ipv6 || colon == std::string_view::npos) return {};
        port = rest_.substr(colon + 1);
        return port.empty() ? bad("invalid port") : Result<void>{};
    }

    [[nodiscard]] Result<void> check_address(std::string_view text) const {
        if (text == kHostToken) return {};
        if (text.find("${") != std::string_view::npos) {
            return bad("unknown alca token; valid tokens: HOST_IP");
        }
        const std::size_t slash = text.find('/');
        const std::string address(text.substr(0, slash));
        const bool ipv6 = address.find(':') != std::string::npos;
        in6_addr parsed{};
        if (::inet_pton(ipv6 ? AF_INET6 : AF_INET, address.c_str(), &parsed) != 1) {
            return bad("invalid IP address; host names are not supported");
        }
        if (slash == std::string_view::npos) return {};
        const auto length = number(text.substr(slash + 1));
        if (!length || *length > (ipv6 ? 128U : 32U)) return bad("invalid CIDR");
        return {};
    }

    [[nodiscard]] Result<void> check_port(std::string_view text) const {
        if (text.empty() || text == "*") return {};
        const auto port = number(text);
        if (!port) return bad("invalid port");
        if (*port < 1 || *port > 65535) {
            return bad(fmt::format("port {} out of range (1-65535)", *port));
        }
        return {};
    }

    // Digits only; saturates far above every range that is checked.
    static std::optional<unsigned> number(std::string_view text) {
        unsigned value = 0;
        const bool digits = !text.empty() && text.size() <= 9 &&
                            text.find_first_not_of("0123456789") == std::string_view::npos;
        if (!digits) return std::nullopt;
        std::from_chars(text.data(), text.data() + text.size(), value);
        return value;
    }

    std::string_view text_;
    std::string_view rest_;
};

}  // namespace

Result<LanAccess> parse_lan_rule(std::string_view text) {
    constexpr std::string_view kBlanks = " \t\r\n";
    const std::size_t begin = std::min(text.find_first_not_of(kBlanks), text.size());
    const std::size_t end = text.find_last_not_of(kBlanks) + 1;
    return RuleParser(text.substr(begin, end - std::min(begin, end))).parse();
}

}  // namespace alca::config
