#include "core/config/quantity.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>

#include "core/config/text.hpp"

namespace alca::config {
namespace {

constexpr std::string_view kUnits = "bkmgtp";

tl::unexpected<Error> bad_memory(std::string_view text) {
    return fail(Code::invalid,
                fmt::format("{} is not an amount of memory; write it as \"512m\" or \"2g\"",
                            in_quotes(text)));
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// "", "g", "gb", "gib" -> 0 or 3; -1: none of them.
int power_of(std::string_view unit) {
    if (unit.empty()) return 0;
    const std::size_t power = kUnits.find(lower(unit[0]));
    if (power == std::string_view::npos) return -1;
    std::string tail;
    for (const char c : unit.substr(1)) tail += lower(c);
    const bool known = tail.empty() || (power > 0 && (tail == "b" || tail == "ib"));
    return known ? static_cast<int>(power) : -1;
}

}  // namespace

Result<std::int64_t> parse_memory(std::string_view text) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
    double number = 0;
    const std::string_view amount = text.substr(0, digits);
    const auto [end, error] = std::from_chars(amount.data(), amount.data() + amount.size(), number,
                                              std::chars_format::fixed);
    if (error != std::errc() || end != amount.data() + amount.size()) return bad_memory(text);
    std::string_view unit = text.substr(digits);
    if (unit.size() > 1 && unit[0] == ' ') unit.remove_prefix(1);
    const int power = power_of(unit);
    if (power < 0) return bad_memory(text);
    const double bytes = std::floor(number * std::pow(1024.0, power));
    // The nearest double to INT64_MAX is one above it.
    if (bytes >= static_cast<double>(std::numeric_limits<std::int64_t>::max())) {
        return bad_memory(text);
    }
    return static_cast<std::int64_t>(bytes);
}

std::string format_memory(std::int64_t bytes) {
    std::size_t power = 0;
    while (bytes != 0 && bytes % 1024 == 0 && power + 1 < kUnits.size()) {
        bytes /= 1024;
        ++power;
    }
    return power == 0 ? fmt::format("{}", bytes) : fmt::format("{}{}", bytes, kUnits[power]);
}

}  // namespace alca::config
