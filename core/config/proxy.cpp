#include "core/config/proxy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/config/address.hpp"
#include "core/config/lan_access.hpp"
#include "core/config/text.hpp"

namespace alca::config {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

std::string_view without_blanks(std::string_view text) {
    const std::size_t begin = std::min(text.find_first_not_of(kBlanks), text.size());
    const std::size_t end = text.find_last_not_of(kBlanks) + 1;
    return text.substr(begin, end - std::min(begin, end));
}

// 0: not from 1 to 65535.
std::uint16_t parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    return error == std::errc() && end == text.data() + text.size() ? port : std::uint16_t{0};
}

// Why a sandbox's packets could not be sent there; "" when they could.
std::string_view why_not(const std::vector<unsigned char>& bytes, const std::string& canonical) {
    const bool v4 = bytes.size() == 4;
    if (v4 ? bytes[0] == 127 : canonical == "::1") {
        return "is the sandbox itself there; for this machine write ${alca:HOST_IP}";
    }
    const bool link_local = !v4 && bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
    const bool unusable =
        v4 ? bytes[0] == 0 || bytes[0] >= 224 : bytes[0] == 0xff || canonical == "::";
    return unusable || link_local ? "cannot be a proxy's address" : "";
}

Result<std::string> parse_host(std::string_view text, bool in_brackets) {
    if (text == kHostToken && !in_brackets) return std::string(TcpProxy::kHost);
    if (text.find("${") != std::string_view::npos) {
        return fail(Code::invalid, "unknown alca token; valid tokens: HOST_IP");
    }
    const std::vector<unsigned char> bytes = parse_address(std::string(text));
    if (bytes.empty()) return fail(Code::invalid, "host must be an IP address, not a hostname");
    const bool v6 = bytes.size() == 16;
    if (v6 != in_brackets) {
        return fail(Code::invalid, v6 ? "write the IPv6 address in brackets: \"[fd00::1]:1080\""
                                      : "write the IPv4 address without brackets");
    }
    if (const std::string ipv4 = mapped_ipv4(bytes); !ipv4.empty()) {
        return fail(Code::invalid,
                    fmt::format("expected IPv4 address but got IPv6; write it as {}", ipv4));
    }
    std::string canonical = address_text(bytes);
    if (const std::string_view why = why_not(bytes, canonical); !why.empty()) {
        return fail(Code::invalid, fmt::format("{} {}", canonical, why));
    }
    return canonical;
}

}  // namespace

Result<TcpProxy> parse_proxy(std::string_view written) {
    const std::string_view text = without_blanks(written);
    const auto bad = [&](std::string_view why) {
        return fail(Code::invalid, fmt::format("{}: {}", in_quotes(written), why));
    };
    const std::size_t colon = text.rfind(':');
    // The colon of the token is none before a port.
    if (colon == std::string_view::npos || text.ends_with('}') || text.ends_with(']')) {
        return bad("expected host:port format");
    }
    std::string_view host = text.substr(0, colon);
    const bool in_brackets = host.starts_with('[') && host.ends_with(']');
    if (in_brackets) host = host.substr(1, host.size() - 2);
    if (host.empty()) return bad("expected host:port format");
    auto to = parse_host(host, in_brackets);
    if (!to) return bad(to.error().message);
    const std::uint16_t port = parse_port(text.substr(colon + 1));
    if (port == 0) return bad("port must be 1-65535");
    return TcpProxy{.to = std::move(*to), .port = port};
}

std::string proxy_text(const TcpProxy& proxy) {
    if (proxy.to == TcpProxy::kHost) return fmt::format("{}:{}", kHostToken, proxy.port);
    const bool v6 = proxy.to.find(':') != std::string::npos;
    return v6 ? fmt::format("[{}]:{}", proxy.to, proxy.port)
              : fmt::format("{}:{}", proxy.to, proxy.port);
}

}  // namespace alca::config
