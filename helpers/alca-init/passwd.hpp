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
};

// The first entry of user `uid`.
[[nodiscard]] std::optional<PasswdEntry> find_user(std::string_view passwd, std::uint32_t uid);

[[nodiscard]] bool has_group(std::string_view group, std::uint32_t gid);

// True when `name` stands for anybody, in either file.
[[nodiscard]] bool has_name(std::string_view file, std::string_view name);

}  // namespace alca::init
