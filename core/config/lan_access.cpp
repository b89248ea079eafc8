#include "core/config/lan_access.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <vector>

#include "core/config/address.hpp"
#include "core/config/text.hpp"

namespace alca::config {
namespace {

constexpr std::size_t kMostPortParts = 64;
constexpr std::size_t kLongestRule = 4096;
constexpr std::size_t kLongestName = 253;
constexpr std::size_t kLongestLabel = 63;

// Digits only; no more of them than any number that is checked has.
std::optional<unsigned> number(std::string_view text) {
    unsigned value = 0;
    const bool digits = !text.empty() && text.size() <= 9 &&
                        text.find_first_not_of("0123456789") == std::string_view::npos;
    if (!digits) return std::nullopt;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

void clear_behind(std::vector<unsigned char>& bytes, unsigned prefix_bits) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const unsigned kept = std::min(8U, prefix_bits);
        prefix_bits -= kept;
        bytes[i] = static_cast<unsigned char>(bytes[i] & (0xff00U >> kept));
    }
}

// Decimal or, as resolvers read it too, hexadecimal: "10", "0x0a000005".
bool is_numeric_label(std::string_view label) {
    const bool hex = label.starts_with("0x") || label.starts_with("0X");
    if (hex) label.remove_prefix(2);
    return label.find_first_not_of(hex ? "0123456789abcdefABCDEF" : "0123456789") ==
           std::string_view::npos;
}

// RFC 1123, and its last label is no number: whatever looks like an address is meant as one.
bool is_host_name(std::string_view text) {
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (text.empty() || text.size() > kLongestName) return false;
    while (true) {
        const std::size_t dot = text.find('.');
        const std::string_view label = text.substr(0, dot);
        const bool right = !label.empty() && label.size() <= kLongestLabel &&
                           label.front() != '-' && label.back() != '-' &&
                           std::all_of(label.begin(), label.end(), [&](char c) {
                               return is_letter(c) || is_digit(c) || c == '-';
                           });
        if (!right) return false;
        if (dot == std::string_view::npos) {
            return std::any_of(label.begin(), label.end(), is_letter) && !is_numeric_label(label);
        }
        text.remove_prefix(dot + 1);
    }
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return out;
}

// Sorted; ranges that overlap or touch become one.
std::vector<PortRange> merged(std::vector<PortRange> ranges) {
    std::sort(ranges.begin(), ranges.end(),
              [](const PortRange& a, const PortRange& b) { return a.first < b.first; });
    std::vector<PortRange> out;
    out.reserve(ranges.size());
    for (const PortRange& range : ranges) {
        if (!out.empty() && range.first <= out.back().last + 1) {
            out.back().last = std::max(out.back().last, range.last);
        } else {
            out.push_back(range);
        }
    }
    return out;
}

std::string canonical(const LanRule& rule) {
    std::string text;
    if (!rule.rule.protocols.empty()) {
        text = (rule.rule.protocols.size() == 1 ? rule.rule.protocols[0] : "*") + "://";
    }
    std::string address = rule.name.empty() ? rule.rule.to : rule.name;
    if (address == AllowRule::kHost && rule.name.empty()) address = kHostToken;
    if (rule.rule.ports.empty()) return text + address;
    const bool v6 = rule.name.empty() && rule.rule.to.find(':') != std::string::npos;
    std::vector<std::string> ports;
    ports.reserve(rule.rule.ports.size());
    for (const PortRange& range : rule.rule.ports) {
        ports.push_back(range.first == range.last ? std::to_string(range.first)
                                                  : fmt::format("{}-{}", range.first, range.last));
    }
    if (v6) address = "[" + address + "]";
    return text + fmt::format("{}:{}", address, fmt::join(ports, ","));
}

// One parse: what is left of the text, and how to say what is wrong with it.
class RuleParser {
  public:
    explicit RuleParser(std::string_view text) : text_(text), rest_(text) {}

    Result<std::optional<LanRule>> parse() {
        if (rest_.empty()) return fail(Code::invalid, "lan-access rule: empty rule string");
        if (rest_ == "*") return std::optional<LanRule>();
        const std::string_view protocol = take_protocol();
        std::string_view address;
        std::string_view ports;
        LanRule rule;
        if (auto split = split_address(address, ports); !split) return fail(split.error());
        if (auto read = read_address(address, rule); !read) return fail(read.error());
        if (auto read = read_ports(ports, rule.rule.ports); !read) return fail(read.error());
        const bool has_ports = !rule.rule.ports.empty();
        if (protocol == "tcp" || protocol == "udp") {
            rule.rule.protocols = {std::string(protocol)};
        } else if (protocol == "*" && has_ports) {
            rule.rule.protocols = {"tcp", "udp"};
        } else if (protocol.empty() && has_ports) {
            rule.rule.protocols = {"tcp"};
        } else if (!protocol.empty() && protocol != "*") {
            return bad("protocol must be tcp, udp or *");
        }
        rule.text = canonical(rule);
        return std::optional<LanRule>(std::move(rule));
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

    Result<void> split_address(std::string_view& address, std::string_view& ports) const {
        if (rest_.starts_with('[')) {
            const std::size_t close = rest_.find(']');
            if (close == std::string_view::npos) return bad("missing closing bracket");
            address = rest_.substr(1, close - 1);
            const std::string_view tail = rest_.substr(close + 1);
            if (!parse_address(std::string(address)).empty() &&
                address.find(':') == std::string_view::npos) {
                return bad("expected IPv6 address but got IPv4; write it without brackets");
            }
            if (address.find(':') == std::string_view::npos || address == kHostToken) {
                return bad("invalid IP address; brackets hold an IPv6 address");
            }
            if (tail.empty()) return {};
            if (tail[0] != ':') return bad("unexpected characters after IPv6 address");
            ports = tail.substr(1);
            return ports.empty() ? bad("invalid port") : Result<void>{};
        }
        const std::size_t token = rest_.starts_with(kHostToken) ? kHostToken.size() : 0;
        const std::size_t colon = rest_.find(':', token);
        const bool bare_ipv6 = token == 0 && colon != std::string_view::npos &&
                               rest_.find(':', colon + 1) != std::string_view::npos;
        address = bare_ipv6 ? rest_ : rest_.substr(0, colon);
        if (bare_ipv6 || colon == std::string_view::npos) return {};
        ports = rest_.substr(colon + 1);
        return ports.empty() ? bad("invalid port") : Result<void>{};
    }

    [[nodiscard]] Result<void> read_address(std::string_view text, LanRule& rule) const {
        if (text == kHostToken) {
            rule.rule.to = AllowRule::kHost;
            return {};
        }
        if (text.find("${") != std::string_view::npos) {
            return bad("unknown alca token; valid tokens: HOST_IP");
        }
        const std::size_t slash = text.find('/');
        std::vector<unsigned char> bytes = parse_address(std::string(text.substr(0, slash)));
        if (bytes.empty()) return read_name(text, rule);
        if (const std::string ipv4 = mapped_ipv4(bytes); !ipv4.empty()) {
            return bad(fmt::format("expected IPv4 address but got IPv6; write it as {}", ipv4));
        }
        const auto whole = static_cast<unsigned>(bytes.size() * 8);
        unsigned bits = whole;
        if (slash != std::string_view::npos) {
            const auto length = number(text.substr(slash + 1));
            if (!length || *length > whole) return bad("invalid CIDR");
            if (*length == 0) return bad("this is every address; write \"*\" for no blocking");
            bits = *length;
        }
        clear_behind(bytes, bits);
        rule.rule.to = address_text(bytes);
        if (bits != whole) rule.rule.to += fmt::format("/{}", bits);
        return {};
    }

    [[nodiscard]] Result<void> read_name(std::string_view text, LanRule& rule) const {
        // A zone is an interface of this machine, which the sandbox does not have.
        if (const std::size_t zone = text.find('%');
            !parse_address(std::string(text.substr(0, zone))).empty()) {
            return bad("invalid IP address; leave out the zone, the part from '%' on");
        }
        if (!is_host_name(text)) return bad("invalid IP address or host name");
        rule.name = lower(text);
        if (rule.name == "localhost" || rule.name.ends_with(".localhost")) {
            return bad(
                "inside, this is the sandbox itself; for this machine write "
                "${alca:HOST_IP}");
        }
        return {};
    }

    [[nodiscard]] Result<std::uint16_t> read_port(std::string_view text) const {
        const auto port = number(text);
        if (!port) return bad("invalid port");
        if (*port < 1 || *port > 65535) {
            return bad(fmt::format("port {} out of range (1-65535)", *port));
        }
        return static_cast<std::uint16_t>(*port);
    }

    [[nodiscard]] Result<void> read_ports(std::string_view text,
                                          std::vector<PortRange>& ports) const {
        if (text.empty() || text == "*") return {};
        while (true) {
            const std::size_t comma = text.find(',');
            const std::string_view part = text.substr(0, comma);
            const std::size_t dash = part.find('-');
            const auto first = read_port(part.substr(0, dash));
            if (!first) return fail(first.error());
            const auto last =
                dash == std::string_view::npos ? first : read_port(part.substr(dash + 1));
            if (!last) return fail(last.error());
            if (*last < *first) return bad("a port range goes from the lower to the higher port");
            if (ports.size() == kMostPortParts) {
                return bad(fmt::format("more than {} ports and ranges", kMostPortParts));
            }
            ports.push_back({*first, *last});
            if (comma == std::string_view::npos) break;
            text.remove_prefix(comma + 1);
        }
        ports = merged(std::move(ports));
        return {};
    }

    std::string_view text_;
    std::string_view rest_;
};

}  // namespace

Result<std::optional<LanRule>> parse_lan_rule(std::string_view text) {
    constexpr std::string_view kBlanks = " \t\r\n";
    if (text.size() > kLongestRule) {
        return fail(Code::invalid,
                    fmt::format("lan-access rule: longer than {} bytes", kLongestRule));
    }
    const std::size_t begin = std::min(text.find_first_not_of(kBlanks), text.size());
    const std::size_t end = text.find_last_not_of(kBlanks) + 1;
    return RuleParser(text.substr(begin, end - std::min(begin, end))).parse();
}

Result<std::string> parse_resolver(const std::string& text) {
    const std::vector<unsigned char> bytes = parse_address(text);
    const auto bad = [&](std::string_view why) {
        return fail(Code::invalid, fmt::format("{}: {}", in_quotes(text), why));
    };
    if (bytes.empty()) return bad("must be an IPv4 or IPv6 address");
    if (const std::string ipv4 = mapped_ipv4(bytes); !ipv4.empty()) {
        return bad(fmt::format("expected IPv4 address but got IPv6; write it as {}", ipv4));
    }
    const bool v4 = bytes.size() == 4;
    std::string canonical = address_text(bytes);
    if (v4 ? bytes[0] == 127 : canonical == "::1") {
        return bad("is the sandbox itself there; name a resolver that it can reach");
    }
    const bool unusable =
        v4 ? bytes[0] == 0 || bytes[0] >= 224 : bytes[0] == 0xff || canonical == "::";
    if (unusable) return bad("cannot be a resolver");
    return canonical;
}

}  // namespace alca::config
