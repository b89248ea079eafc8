#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace alca::init {

// Readers for the text of /etc/passwd and /etc/group. The C library's own go through NSS, which
// needs shared libraries. Lines that do not have the right shape are passed over, as the C library
// does.

// Views into the text that was searched.
struct PasswdEntry {
    std::string_view name;
    std::string_view home;
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
};

// The first entry of user `uid`.
[[nodiscard]] std::optional<PasswdEntry> find_user(std::string_view passwd, std::uint32_t uid);

[[nodiscard]] std::optional<PasswdEntry> find_user_named(std::string_view passwd,
                                                         std::string_view name);

[[nodiscard]] std::optional<std::uint32_t> find_group_named(std::string_view group,
                                                            std::string_view name);

// The number of the group that this line of /etc/group describes, if it lists `user`.
[[nodiscard]] std::optional<std::uint32_t> gid_with_member(std::string_view line,
                                                           std::string_view user);

[[nodiscard]] bool has_group(std::string_view group, std::uint32_t gid);

// True when `name` stands for anybody, in either file.
[[nodiscard]] bool has_name(std::string_view file, std::string_view name);

}  // namespace alca::init
