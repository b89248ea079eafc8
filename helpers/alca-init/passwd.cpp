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

std::optional<std::uint32_t> parse_id(std::string_view text) {
    const auto number = parse_number(text, std::numeric_limits<std::uint32_t>::max());
    if (!number) return std::nullopt;
    return static_cast<std::uint32_t>(*number);
}

// The first entry that `fits` (called with name and id).
template <class Fits>
std::optional<PasswdEntry> find_entry(std::string_view passwd, Fits fits) {
    std::array<std::string_view, kPasswdFields> fields;
    while (!passwd.empty()) {
        if (!split(take_line(passwd), fields)) continue;
        const auto uid = parse_id(fields[2]);
        if (!uid || !fits(fields[0], *uid)) continue;
        return PasswdEntry{.name = fields[0],
                           .home = fields[5],
                           .uid = *uid,
                           .gid = parse_id(fields[3]).value_or(0)};
    }
    return std::nullopt;
}

}  // namespace

std::optional<PasswdEntry> find_user(std::string_view passwd, std::uint32_t uid) {
    return find_entry(passwd, [uid](std::string_view, std::uint32_t id) { return id == uid; });
}

std::optional<PasswdEntry> find_user_named(std::string_view passwd, std::string_view name) {
    return find_entry(passwd,
                      [name](std::string_view found, std::uint32_t) { return found == name; });
}

std::optional<std::uint32_t> find_group_named(std::string_view group, std::string_view name) {
    std::array<std::string_view, kGroupFields> fields;
    while (!group.empty()) {
        if (!split(take_line(group), fields) || fields[0] != name) continue;
        if (const auto gid = parse_id(fields[2])) return gid;
    }
    return std::nullopt;
}

std::optional<std::uint32_t> gid_with_member(std::string_view line, std::string_view user) {
    std::array<std::string_view, kGroupFields> fields;
    if (!split(line, fields)) return std::nullopt;
    std::string_view members = fields[3];
    while (!members.empty()) {
        const std::size_t end = members.find(',');
        if (members.substr(0, end) == user) return parse_id(fields[2]);
        members.remove_prefix(end == std::string_view::npos ? members.size() : end + 1);
    }
    return std::nullopt;
}

bool has_group(std::string_view group, std::uint32_t gid) {
    std::array<std::string_view, kGroupFields> fields;
    while (!group.empty()) {
        if (split(take_line(group), fields) && parse_id(fields[2]) == gid) return true;
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
