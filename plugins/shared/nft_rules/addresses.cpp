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

void sort_unique(std::vector<Bytes>& list) {
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
}

}  // namespace

bool is_reachable(const Bytes& address) {
    if (address.size() == 4) {
        return address[0] != 0 && address[0] != 127 && address[0] < 224;
    }
    const bool low =
        std::all_of(address.begin(), address.begin() + 10, [](auto b) { return b == 0; });
    const bool link_local = address[0] == 0xfe && (address[1] & 0xc0) == 0x80;
    return !low && !link_local && address[0] != 0xff;  // low: ::, ::1, mapped and compatible IPv4
}

std::optional<Bytes> parse_address(const std::string& text) {
    Bytes address(4);
    if (inet_pton(AF_INET, text.c_str(), address.data()) == 1) return address;
    address.resize(16);
    if (inet_pton(AF_INET6, text.c_str(), address.data()) == 1) return address;
    return std::nullopt;
}

std::optional<Bytes> next(Bytes address) {
    const auto bits = static_cast<unsigned>(address.size() * 8);
    return behind(std::move(address), bits);
}

AddressRange prefix_range(const Bytes& address, unsigned bits) {
    AddressRange range{address, address};
    unsigned left = bits;  // of the prefix
    for (std::size_t i = 0; i < address.size(); ++i) {
        const unsigned kept = std::min(8U, left);
        left -= kept;
        const auto mask = static_cast<std::uint8_t>(0xff00U >> kept);
        range.first[i] = static_cast<std::uint8_t>(range.first[i] & mask);
        range.last[i] = static_cast<std::uint8_t>(range.last[i] | (0xffU & ~mask));
    }
    return range;
}

std::optional<AddressRange> parse_prefix(const std::string& text) {
    const std::size_t slash = text.find('/');
    const auto address = parse_address(text.substr(0, slash));
    if (!address) return std::nullopt;
    auto bits = static_cast<unsigned>(address->size() * 8);
    if (slash != std::string::npos) {
        const char* end = text.data() + text.size();
        const unsigned most = bits;
        const auto [stopped, error] = std::from_chars(text.data() + slash + 1, end, bits);
        if (error != std::errc() || stopped != end || bits > most) return std::nullopt;
    }
    return prefix_range(*address, bits);
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
        if (!address || !is_reachable(*address)) continue;
        (address->size() == 4 ? found.v4 : found.v6).push_back(*address);
    }
    sort_unique(found.v4);
    sort_unique(found.v6);
    return found;
}

}  // namespace alca::nft
