#include "account.hpp"

#include <grp.h>
#include <unistd.h>

#include <limits>
#include <optional>

#include "bytes.hpp"
#include "files.hpp"
#include "passwd.hpp"

namespace alca::init {
namespace {

constexpr std::size_t kMaxFileBytes = std::size_t{4} << 20;
// The highest 32-bit number means "no user" to the kernel.
constexpr std::uint64_t kMaxId = std::numeric_limits<std::uint32_t>::max() - 1ULL;

bool find_group(std::string_view wanted, std::string_view group, gid_t& gid) {
    if (const auto number = parse_number(wanted, kMaxId)) {
        gid = static_cast<gid_t>(*number);
        return true;
    }
    const std::optional<std::uint32_t> found = find_group_named(group, wanted);
    gid = found.value_or(0);
    return found.has_value();
}

void add_groups(std::string_view name, std::string_view group, Account& account) {
    while (!group.empty() && account.group_count < Account::kMaxGroups) {
        const auto gid = gid_with_member(take_line(group), name);
        if (gid && *gid != account.gid) account.groups.at(account.group_count++) = *gid;
    }
}

}  // namespace

bool find_account(std::string_view user, std::string_view passwd, std::string_view group,
                  Account& account, Text& fault) {
    account = Account();
    if (user.empty()) user = "0";
    const std::size_t colon = user.find(':');
    const std::string_view name = user.substr(0, colon);
    const std::optional<std::uint64_t> number = parse_number(name, kMaxId);
    const std::optional<PasswdEntry> entry =
        number ? find_user(passwd, static_cast<std::uint32_t>(*number))
               : find_user_named(passwd, name);
    if (!entry && !number) {
        fault.set({"no user ", name, " in /etc/passwd of the image"});
        return false;
    }
    account.uid = entry ? entry->uid : static_cast<uid_t>(*number);
    account.gid = entry ? entry->gid : 0;
    const bool is_named = colon != std::string_view::npos;
    if (is_named && !find_group(user.substr(colon + 1), group, account.gid)) {
        fault.set({"no group ", user.substr(colon + 1), " in /etc/group of the image"});
        return false;
    }
    // The first too: a program that gives its group up must not lose what that group is denied.
    account.groups[account.group_count++] = account.gid;
    if (entry && !is_named) add_groups(entry->name, group, account);
    return true;
}

bool find_account(std::string_view user, Account& account, Text& fault) {
    Bytes passwd;
    Bytes group;
    // Without them numbers are all there is.
    static_cast<void>(read_file("/etc/passwd", kMaxFileBytes, passwd));
    static_cast<void>(read_file("/etc/group", kMaxFileBytes, group));
    return find_account(user, passwd.view(), group.view(), account, fault);
}

bool become_account(const Account& account) {
    return ::setgroups(account.group_count, account.groups.data()) == 0 &&
           ::setgid(account.gid) == 0 && ::setuid(account.uid) == 0;
}

}  // namespace alca::init
