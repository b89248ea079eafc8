#include "helpers/alca-init/account.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace alca::init {
namespace {

constexpr std::string_view kPasswd =
    "root:x:0:0:root:/root:/bin/sh\n"
    "node:x:1000:1001::/home/node:/bin/sh\n"
    "1234:x:7:7::/:/bin/sh\n";
constexpr std::string_view kGroup =
    "root:x:0:\n"
    "audio:x:29:node,other\n"
    "noded:x:30:nodes\n"
    "node:x:1001:node\n"
    "wheel:x:10:root\n";

struct Found {
    bool is_found = false;
    uid_t uid = 0;
    gid_t gid = 0;
    std::vector<gid_t> groups;
};

Found find(std::string_view user) {
    Account account;
    Text fault;
    Found found;
    found.is_found = find_account(user, kPasswd, kGroup, account, fault);
    EXPECT_EQ(found.is_found, fault.view().empty()) << fault.view();
    found.uid = account.uid;
    found.gid = account.gid;
    found.groups.assign(account.groups.begin(),
                        account.groups.begin() + static_cast<long>(account.group_count));
    return found;
}

void expect(std::string_view user, uid_t uid, gid_t gid, const std::vector<gid_t>& groups) {
    const Found found = find(user);
    EXPECT_TRUE(found.is_found) << user;
    EXPECT_EQ(found.uid, uid) << user;
    EXPECT_EQ(found.gid, gid) << user;
    EXPECT_EQ(found.groups, groups) << user;
}

TEST(AccountTest, NamesAndNumbersAreWhatTheEnginesMakeOfThem) {
    expect("", 0, 0, {0, 10});
    expect("root", 0, 0, {0, 10});
    expect("node", 1000, 1001, {1001, 29});
    expect("1000", 1000, 1001, {1001, 29});
    expect("555", 555, 0, {0});
    expect("555:777", 555, 777, {777});
    expect("1234", 1234, 0, {0});  // a number is one, whatever names there are
}

TEST(AccountTest, ANamedGroupIsTheOnlyOne) {
    expect("node:audio", 1000, 29, {29});
    expect("node:5", 1000, 5, {5});
}

TEST(AccountTest, WhoIsNotThereIsAnError) {
    for (const char* user : {"nobody", "node:nogroup", "4294967295", "-1", "node:", ":"}) {
        EXPECT_FALSE(find(user).is_found) << user;
    }
}

}  // namespace
}  // namespace alca::init
