#include "passwd.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "files.hpp"
#include "text.hpp"

namespace alca::init {
namespace {

constexpr std::size_t kPasswdFields = 7;  // name:password:uid:gid:comment:home:shell
constexpr std::size_t kGroupFields = 4;   // name:password:gid:members

// Splits a line into exactly `Count` fields; false when it has fewer or more.
template <std::size_t Count>
bool split(std::string_view line, std::array<std::string_view, Count>& fields) {
    for (std::size_t i = 0; i < Count; ++i) {
        const std::size_t end = line.find(':');
        const bool is_last = i + 1 == Count;
        if (is_last != (end == std::string_view::npos)) return false;
        fields[i] = line.substr(0, end);
        if (!is_last) line.remove_prefix(end + 1);
    }
    return !fields[0].empty();
}

bool is_id(std::string_view text, std::uint32_t id) {
    return parse_number(text, std::numeric_limits<std::uint32_t>::max()) == id;
}

}  // namespace

std::optional<PasswdEntry> find_user(std::string_view passwd, std::uint32_t uid) {
    std::array<std::string_view, kPasswdFields> fields;
    while (!passwd.empty()) {
        if (split(take_line(passwd), fields) && is_id(fields[2], uid))
            return PasswdEntry{.name = fields[0], .home = fields[5]};
    }
    return std::nullopt;
}

bool has_group(std::string_view group, std::uint32_t gid) {
    std::array<std::string_view, kGroupFields> fields;
    while (!group.empty()) {
        if (split(take_line(group), fields) && is_id(fields[2], gid)) return true;
    }
    return false;
}

bool has_name(std::string_view file, std::string_view name) {
    while (!file.empty()) {
        const std::string_view line = take_line(file);
        if (line.substr(0, line.find(':')) == name) return true;
    }
    return false;
}

}  // namespace alca::init
