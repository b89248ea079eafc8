#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <string_view>

#include "text.hpp"

namespace alca::init {

// Who a command runs as.
struct Account {
    static constexpr std::size_t kMaxGroups = 256;
    uid_t uid = 0;
    gid_t gid = 0;
    std::array<gid_t, kMaxGroups> groups{};  // supplementary; the first is gid
    std::size_t group_count = 0;
};

// What the engines take for a container's user, by the image's own /etc/passwd and /etc/group:
// "UID", "NAME", "UID:GID", "NAME:GROUP"; "" is root. Supplementary groups are those that list the
// user; none where the group is named. A number needs no entry. False: `fault` says why.
[[nodiscard]] bool find_account(std::string_view user, Account& account, Text& fault);
// The same by the texts of the two files.
[[nodiscard]] bool find_account(std::string_view user, std::string_view passwd,
                                std::string_view group, Account& account, Text& fault);

// This process becomes it, for good. False: errno says why.
[[nodiscard]] bool become_account(const Account& account);

}  // namespace alca::init
