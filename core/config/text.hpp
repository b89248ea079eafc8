// core/config/text.hpp - text from a file that the sandbox can write, made safe to print.
#ifndef ALCA_CORE_CONFIG_TEXT_HPP
#define ALCA_CORE_CONFIG_TEXT_HPP

#include <string>
#include <string_view>

namespace alca::config {

// `text` with everything replaced that could forge or hide output on a terminal: control
// characters, line separators and the marks that turn the writing direction become \xNN or
// \u{NNNN}, and bytes that are not UTF-8 become \xNN.
[[nodiscard]] std::string printable(std::string_view text);

// `text` printable and in double quotes, cut after 80 characters or so with "...".
[[nodiscard]] std::string in_quotes(std::string_view text);

// Index of the first byte that is not part of valid UTF-8, or npos.
[[nodiscard]] std::size_t find_invalid_utf8(std::string_view text);

}  // namespace alca::config

#endif
