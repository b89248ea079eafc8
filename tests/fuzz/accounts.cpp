// The user of a command, looked up in files that the image brings: USER, /etc/passwd and /etc/group
// with a NUL between.
#include <limits>
#include <string>
#include <string_view>

#include "fuzz/support/target.hpp"
#include "helpers/alca-init/account.hpp"
#include "helpers/alca-init/passwd.hpp"

namespace alca::fuzz {
namespace {

constexpr std::uint32_t kNobody = std::numeric_limits<std::uint32_t>::max();

bool lies_in(std::string_view part, std::string_view whole) {
    return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

void check_entry(std::string_view passwd, const init::PasswdEntry& entry) {
    claim(lies_in(entry.name, passwd) && lies_in(entry.home, passwd), "views into the file");
    claim(!entry.name.empty(), "a user has a name");
    for (const std::string_view part : {entry.name, entry.home}) {
        claim(part.find_first_of(":\n") == std::string_view::npos, "one field of one line");
    }
    const auto by_number = init::find_user(passwd, entry.uid);
    claim(by_number && by_number->uid == entry.uid, "found by its number");
    const auto by_name = init::find_user_named(passwd, entry.name);
    claim(by_name && by_name->name == entry.name, "found by its name");
    claim(init::has_name(passwd, entry.name), "the name is taken");
}

void check_account(const init::Account& account, std::string_view passwd) {
    claim(account.uid != kNobody || init::find_user(passwd, kNobody), "not the number for nobody");
    claim(account.group_count >= 1 && account.group_count <= init::Account::kMaxGroups, "groups");
    claim(account.groups[0] == account.gid, "the first group is the main one");
    for (std::size_t i = 1; i < account.group_count; ++i) {
        claim(account.groups.at(i) != account.gid, "the main group is there once");
    }
}

}  // namespace

void one_input(std::string_view input) {
    const std::string user(take_part(input));
    const std::string passwd(take_part(input));
    const std::string group(take_part(input));

    if (const auto entry = init::find_user_named(passwd, user)) check_entry(passwd, *entry);
    if (const auto root = init::find_user(passwd, 0)) check_entry(passwd, *root);
    if (const auto gid = init::find_group_named(group, user)) {
        claim(init::has_group(group, *gid), "a group that has a name has its number");
    }
    init::Account account;
    init::Text fault;
    const bool is_found = init::find_account(user, passwd, group, account, fault);
    claim(is_found == fault.view().empty(), "either an account or a fault");
    if (is_found) check_account(account, passwd);
}

}  // namespace alca::fuzz
