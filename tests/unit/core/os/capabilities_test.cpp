#include "core/os/capabilities.hpp"

#include <gtest/gtest.h>
#include <linux/capability.h>

#include <algorithm>

namespace alca::os {
namespace {

TEST(CapabilitiesTest, TheIndexOfANameIsItsBitInTheKernel) {
    const auto names = capability_names();

    ASSERT_GT(names.size(), static_cast<std::size_t>(CAP_BPF));
    EXPECT_EQ(names[CAP_CHOWN], "CHOWN");
    EXPECT_EQ(names[CAP_NET_ADMIN], "NET_ADMIN");
    EXPECT_EQ(names[CAP_NET_RAW], "NET_RAW");
    EXPECT_EQ(names[CAP_SYS_ADMIN], "SYS_ADMIN");
    EXPECT_EQ(names[CAP_SETFCAP], "SETFCAP");
    EXPECT_EQ(names[CAP_PERFMON], "PERFMON");
    EXPECT_EQ(names[CAP_BPF], "BPF");
}

TEST(CapabilitiesTest, KnowsAsManyAsTheKernelsHeader) {
    EXPECT_EQ(capability_names().size(), static_cast<std::size_t>(CAP_LAST_CAP) + 1);
}

TEST(CapabilitiesTest, NoNameIsThereTwice) {
    std::vector<std::string_view> names(capability_names().begin(), capability_names().end());
    std::sort(names.begin(), names.end());

    EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

TEST(CapabilitiesTest, AMaskIsTheUnionOfItsNames) {
    EXPECT_EQ(capability_mask({}), 0U);
    EXPECT_EQ(capability_mask({"CHOWN"}), 0x1U);
    EXPECT_EQ(capability_mask({"CHOWN", "SETUID", "CHOWN"}), 0x81U);
    EXPECT_EQ(capability_mask({"CHECKPOINT_RESTORE"}), std::uint64_t{1} << 40U);
}

TEST(CapabilitiesTest, AllIsEveryBitWhereverItStands) {
    EXPECT_EQ(capability_mask({"ALL"}), 0x1ffffffffffU);
    EXPECT_EQ(capability_mask({"CHOWN", "ALL"}), 0x1ffffffffffU);
}

TEST(CapabilitiesTest, AnUnknownNameIsNoBit) {
    EXPECT_EQ(capability_mask({"CAP_CHOWN", "chown", "", "FLY"}), 0U);
}

}  // namespace
}  // namespace alca::os
