#include "core/config/text.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdint>

namespace alca::config {
namespace {

struct Decoded {
    char32_t character = 0;
    std::size_t length = 0;  // 0: not valid UTF-8
};

// One character of UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, at most U+10FFFF.
Decoded decode(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(0);
    if (lead < 0x80) return {lead, 1};
    const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return {};
    char32_t character = lead & (0x7FU >> length);
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xC0U) != 0x80) return {};
        character = (character << 6U) | (byte(i) & 0x3FU);
    }
    constexpr std::array<char32_t, 5> kSmallest{0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = character >= 0xD800 && character <= 0xDFFF;
    if (character < kSmallest[length] || character > 0x10FFFF || surrogate) return {};
    return {character, length};
}

bool is_deceptive(char32_t c) {
    return c < 0x20 || (c >= 0x7F && c < 0xA0) ||          // C0, DEL, C1
           c == 0xAD || c == 0x61C ||                      // invisible; Arabic direction mark
           (c >= 0x200B && c <= 0x200F) ||                 // zero width, direction marks
           (c >= 0x2028 && c <= 0x202E) ||                 // separators, direction overrides
           (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF ||  // joiners, isolates
           (c >= 0xE0000 && c <= 0xE007F);                 // invisible tags
}

}  // namespace

std::string printable(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const Decoded next = decode(text);
        if (next.length == 0) {
            out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[0]));
            text.remove_prefix(1);
            continue;
        }
        if (!is_deceptive(next.character)) {
            out += text.substr(0, next.length);
        } else if (next.character < 0x80) {
            out += fmt::format("\\x{:02x}", static_cast<std::uint32_t>(next.character));
        } else {
            out += fmt::format("\\u{{{:04x}}}", static_cast<std::uint32_t>(next.character));
        }
        text.remove_prefix(next.length);
    }
    return out;
}

std::string in_quotes(std::string_view text) {
    constexpr std::size_t kLongest = 80;
    if (text.size() <= kLongest) return '"' + printable(text) + '"';
    std::size_t end = kLongest;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80) --end;
    return '"' + printable(text.substr(0, end)) + "...\"";
}

std::size_t find_invalid_utf8(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const Decoded next = decode(text.substr(at));
        if (next.length == 0) return at;
        at += next.length;
    }
    return std::string_view::npos;
}

}  // namespace alca::config
