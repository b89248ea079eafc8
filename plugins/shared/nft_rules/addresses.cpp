#include "plugins/shared/nft_rules/addresses.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cassert>
#include <charconv>

namespace alca::nft {
namespace {

// Adds 2^(bits behind the prefix); nothing when that overflows.
std::optional<Bytes> behind(Bytes address, unsigned prefix_bits) {
    if (prefix_bits == 0) return std::nullopt;
    std::size_t byte = (prefix_bits - 1) / 8;
    unsigned carry = 1U << (7 - (prefix_bits - 1) % 8);
    while (true) {
        const unsigned sum = address[byte] + carry;
        address[byte] = static_cast<std::uint8_t>(sum & 0xff);
        if (sum <= 0xff) return address;
        if (byte == 0) return std::nullopt;
        carry = 1;
        --byte;
    }
}

bool is_usable(const Bytes& address) {
    if (address.size() == 4) {
        return address[0] != 0 && address[0] != 127 && address[0] < 224;
    }
    const bool low =
        std::all_of(address.begin(), address.begin() + 10, [](auto b) { return b == 0; });
    const bool link_local = address[0] == 0xfe && (address[1] & 0xc0) == 0x80;
    return !low && !link_local && address[0] != 0xff;  // low: ::, ::1, mapped and compatible IPv4
}

void sort_unique(std::vector<Bytes>& list) {
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
}

}  // namespace

std::optional<Bytes> parse_address(const std::string& text) {
    Bytes address(4);
    if (inet_pton(AF_INET, text.c_str(), address.data()) == 1) return address;
    address.resize(16);
    if (inet_pton(AF_INET6, text.c_str(), address.data()) == 1) return address;
    return std::nullopt;
}

Range range(std::string_view prefix) {
    const std::size_t slash = prefix.find('/');
    const auto begin = parse_address(std::string(prefix.substr(0, slash)));
    assert(begin.has_value());
    auto bits = static_cast<unsigned>(begin->size() * 8);
    if (slash != std::string_view::npos) {
        const std::string_view digits = prefix.substr(slash + 1);
        std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    }
    return {*begin, behind(*begin, bits)};
}

Resolvers resolvers(const std::vector<std::string>& addresses) {
    Resolvers found;
    for (const std::string& text : addresses) {
        const auto address = parse_address(text);
        if (!address || !is_usable(*address)) continue;
        (address->size() == 4 ? found.v4 : found.v6).push_back(*address);
    }
    sort_unique(found.v4);
    sort_unique(found.v6);
    return found;
}

}  // namespace alca::nft
