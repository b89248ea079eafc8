// What a fuzz target is made of.
#ifndef ALCA_TESTS_FUZZ_SUPPORT_TARGET_HPP
#define ALCA_TESTS_FUZZ_SUPPORT_TARGET_HPP

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace alca::fuzz {

// Each target defines it: gives `input`, any bytes, to one parser and claims what must hold then.
void one_input(std::string_view input);

// A claim that does not hold ends the program, so that whoever made the input keeps it.
inline void claim(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "does not hold: %s\n", what);
    std::abort();
}

// Calls `feed` with one piece after the other. Each is a copy of its own, so that a read outside it
// is found.
template <class Feed>
void in_pieces(std::string_view bytes, std::size_t size, Feed feed) {
    while (!bytes.empty()) {
        const std::string piece(bytes.substr(0, size));
        bytes.remove_prefix(piece.size());
        feed(std::string_view(piece));
    }
}

// Removes the part before the next NUL byte, or all.
inline std::string_view take_part(std::string_view& input) {
    const std::string_view part = input.substr(0, input.find('\0'));
    input.remove_prefix(part.size() < input.size() ? part.size() + 1 : part.size());
    return part;
}

// The number that the first byte stands for; 0 when there is none.
inline unsigned char take_byte(std::string_view& input) {
    if (input.empty()) return 0;
    const char first = input.front();
    input.remove_prefix(1);
    return static_cast<unsigned char>(first);
}

// Neither a terminal nor a log shows anything but text.
inline bool is_printable(std::string_view text) {
    for (const char c : text) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
    }
    return true;
}

}  // namespace alca::fuzz

#endif
