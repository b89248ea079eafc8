#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "text.hpp"

namespace alca::init {

// The user as whom commands run in the sandbox. Views into the argument it was parsed from.
struct User {
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::string_view name;
    std::string_view home;
};

// Reads "UID:GID:NAME:HOME". UID is never 0: root needs no preparation. False: `fault` says why.
[[nodiscard]] bool parse_user(std::string_view text, User& user, Text& fault);

// Makes sure that the user has an entry in /etc/passwd, the group one in /etc/group, and that the
// home (that of an entry which was there before, else `user.home`) and each directory of `own`
// belong to the user. root: open directory that stands for "/". Nothing is replaced, no symbolic
// link followed; safe to repeat. False: `fault` says what to do; what was done before stays.
[[nodiscard]] bool prepare_user(int root, const User& user, std::span<const std::string_view> own,
                                Text& fault);

}  // namespace alca::init
