#include "core/flow/seccomp_profile.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "alca/json.hpp"
#include "core/config/capabilities.hpp"

namespace alca::flow {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

class ProfileTest : public testing::Test {
  protected:
    explicit ProfileTest(const std::vector<std::string>& capabilities = {})
        : profile(parse_object(seccomp_profile(capabilities)).value_or(Json::object())) {}

    // The rules that name `call`.
    [[nodiscard]] std::vector<Json> rules_of(const std::string& call) const {
        std::vector<Json> found;
        for (const Json& rule : profile.at("syscalls")) {
            const Json& names = rule.at("names");
            if (std::find(names.begin(), names.end(), call) != names.end()) found.push_back(rule);
        }
        return found;
    }
    // Allowed whatever its arguments are.
    [[nodiscard]] bool is_allowed(const std::string& call) const {
        const auto rules = rules_of(call);
        return std::any_of(rules.begin(), rules.end(), [](const Json& rule) {
            return rule.at("action") == "SCMP_ACT_ALLOW" && !rule.contains("args");
        });
    }

    Json profile;
};

bool is_allowed_with(const std::vector<std::string>& capabilities, const std::string& call) {
    const Json profile = parse_object(seccomp_profile(capabilities)).value_or(Json::object());
    for (const Json& rule : profile.at("syscalls")) {
        const Json& names = rule.at("names");
        if (rule.at("action") == "SCMP_ACT_ALLOW" && !rule.contains("args") &&
            std::find(names.begin(), names.end(), call) != names.end()) {
            return true;
        }
    }
    return false;
}

TEST_F(ProfileTest, RefusesWithEpermWhatNoRuleAllows) {
    EXPECT_EQ(profile.at("defaultAction"), "SCMP_ACT_ERRNO");
    EXPECT_EQ(profile.at("defaultErrnoRet"), 1);
}

TEST_F(ProfileTest, EachRuleNamesCallsAndAKnownAction) {
    ASSERT_FALSE(profile.at("syscalls").empty());
    for (const Json& rule : profile.at("syscalls")) {
        EXPECT_FALSE(rule.at("names").empty()) << rule;
        for (const Json& name : rule.at("names")) {
            EXPECT_TRUE(name.is_string()) << rule;
            EXPECT_EQ(
                name.get<std::string>().find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_"),
                std::string::npos)
                << name;
        }
        const std::string action = rule.at("action").get<std::string>();
        EXPECT_TRUE(action == "SCMP_ACT_ALLOW" || action == "SCMP_ACT_ERRNO") << rule;
        if (!rule.contains("args")) continue;
        for (const Json& argument : rule.at("args")) {
            EXPECT_TRUE(argument.at("index").is_number_unsigned()) << rule;
            EXPECT_TRUE(argument.at("value").is_number_unsigned()) << rule;
            const std::string op = argument.at("op").get<std::string>();
            EXPECT_TRUE(op == "SCMP_CMP_EQ" || op == "SCMP_CMP_MASKED_EQ") << rule;
        }
    }
}

TEST_F(ProfileTest, CoversThe32BitCallsOfEachArchitecture) {
    std::set<std::string> covered;
    for (const Json& entry : profile.at("archMap")) {
        covered.insert(entry.at("architecture").get<std::string>());
        for (const Json& sub : entry.at("subArchitectures")) covered.insert(sub.get<std::string>());
    }
    EXPECT_EQ(covered, (std::set<std::string>{"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32",
                                              "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"}));
}

TEST_F(ProfileTest, AllowsWhatAnyProgramNeeds) {
    for (const char* call : {"read", "write", "openat", "execve", "mmap", "futex", "clock_gettime",
                             "connect", "sendmsg", "socketpair", "wait4", "exit_group"}) {
        EXPECT_TRUE(is_allowed(call)) << call;
    }
}

TEST_F(ProfileTest, SocketcallWhoseFamilyAFilterCannotSeeIsNoSuchCall) {
    const auto rules = rules_of("socketcall");
    ASSERT_EQ(rules.size(), 1U);
    EXPECT_EQ(rules[0]["action"], "SCMP_ACT_ERRNO");
    EXPECT_EQ(rules[0]["errnoRet"], 38);
}

TEST_F(ProfileTest, HasNoIoUringWhichMakesCallsPastTheFilter) {
    for (const char* call : {"io_uring_setup", "io_uring_enter", "io_uring_register"}) {
        EXPECT_THAT(rules_of(call), IsEmpty()) << call;
    }
}

TEST_F(ProfileTest, HasNoCallsThatReachTheKernelsKeysOrItsMemory) {
    for (const char* call : {"keyctl", "add_key", "request_key", "userfaultfd", "kexec_load",
                             "swapon", "nfsservctl", "bpf", "mount", "unshare", "setns"}) {
        EXPECT_THAT(rules_of(call), IsEmpty()) << call;
    }
}

void expect_only_four_families(const std::vector<std::string>& capabilities) {
    const Json profile = parse_object(seccomp_profile(capabilities)).value_or(Json::object());
    std::vector<unsigned> families;
    for (const Json& rule : profile.at("syscalls")) {
        const Json& names = rule.at("names");
        if (std::find(names.begin(), names.end(), "socket") == names.end()) continue;
        EXPECT_EQ(names.size(), 1U) << rule;
        EXPECT_EQ(rule.at("action"), "SCMP_ACT_ALLOW") << rule;
        ASSERT_EQ(rule.at("args").size(), 1U) << rule;
        const Json& argument = rule.at("args").at(0);
        EXPECT_EQ(argument.at("index"), 0) << rule;
        EXPECT_EQ(argument.at("op"), "SCMP_CMP_EQ") << rule;
        families.push_back(argument.at("value").get<unsigned>());
    }
    EXPECT_THAT(families, ElementsAre(1U, 2U, 10U, 16U));
}

TEST_F(ProfileTest, ASocketIsAllowedByFamilyAndOnlyOfFour) { expect_only_four_families({}); }

TEST_F(ProfileTest, NoCapabilityAddsAFamily) {
    expect_only_four_families({"ALL"});
    expect_only_four_families({"NET_RAW", "NET_ADMIN", "SYS_ADMIN"});
}

TEST_F(ProfileTest, Clone3AnswersEnosysSoThatNewNamespacesCannotHideInAStructure) {
    const auto rules = rules_of("clone3");

    ASSERT_EQ(rules.size(), 1U);
    EXPECT_EQ(rules[0].at("action"), "SCMP_ACT_ERRNO");
    EXPECT_EQ(rules[0].at("errnoRet"), 38);
}

TEST_F(ProfileTest, CloneIsAllowedOnlyWithoutNamespaceFlags) {
    const auto rules = rules_of("clone");

    ASSERT_EQ(rules.size(), 1U);
    const Json& argument = rules[0].at("args").at(0);
    EXPECT_EQ(argument.at("index"), 0);
    EXPECT_EQ(argument.at("op"), "SCMP_CMP_MASKED_EQ");
    EXPECT_EQ(argument.at("value"), 0x7E020000U);  // the mask
    EXPECT_EQ(argument.at("valueTwo"), 0U);        // what must be left under it
}

TEST_F(ProfileTest, SysAdminBringsCloneAndClone3WithoutConditions) {
    EXPECT_TRUE(is_allowed_with({"SYS_ADMIN"}, "clone3"));
    EXPECT_TRUE(is_allowed_with({"SYS_ADMIN"}, "clone"));
    EXPECT_TRUE(is_allowed_with({"ALL"}, "clone3"));
}

struct Conditional {
    const char* capability;
    const char* call;
};

class ConditionalCallTest : public testing::TestWithParam<Conditional> {};

TEST_P(ConditionalCallTest, IsAllowedWithItsCapabilityAlone) {
    const auto [capability, call] = GetParam();
    std::vector<std::string> others;
    for (const std::string_view name : config::all_capabilities()) {
        // SYS_ADMIN brings several calls of other capabilities too, as in the kernel.
        if (name != capability && name != "SYS_ADMIN") others.emplace_back(name);
    }

    EXPECT_TRUE(is_allowed_with({capability}, call));
    EXPECT_TRUE(is_allowed_with({"ALL"}, call));
    EXPECT_FALSE(is_allowed_with({}, call));
    EXPECT_FALSE(is_allowed_with(others, call));
}

INSTANTIATE_TEST_SUITE_P(
    Calls, ConditionalCallTest,
    testing::Values(Conditional{"BPF", "bpf"}, Conditional{"DAC_READ_SEARCH", "open_by_handle_at"},
                    Conditional{"PERFMON", "perf_event_open"}, Conditional{"SYSLOG", "syslog"},
                    Conditional{"SYS_ADMIN", "mount"}, Conditional{"SYS_ADMIN", "unshare"},
                    Conditional{"SYS_ADMIN", "setns"}, Conditional{"SYS_BOOT", "reboot"},
                    Conditional{"SYS_CHROOT", "chroot"}, Conditional{"SYS_MODULE", "init_module"},
                    Conditional{"SYS_NICE", "mbind"}, Conditional{"SYS_PACCT", "acct"},
                    Conditional{"SYS_PTRACE", "pidfd_getfd"}, Conditional{"SYS_RAWIO", "iopl"},
                    Conditional{"SYS_TIME", "settimeofday"},
                    Conditional{"SYS_TTY_CONFIG", "vhangup"}),
    [](const auto& conditional) {
        return std::string(conditional.param.capability) + "_" + conditional.param.call;
    });

}  // namespace
}  // namespace alca::flow
