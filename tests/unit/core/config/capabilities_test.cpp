#include "core/config/capabilities.hpp"

#include <gtest/gtest.h>
#include <linux/capability.h>

#include <algorithm>

namespace alca::config {
namespace {

TEST(CapabilitiesTest, ListIsAsLongAsTheKernelsAndSorted) {
    const auto& all = all_capabilities();
    EXPECT_EQ(all.size(), static_cast<std::size_t>(CAP_LAST_CAP) + 1);
    EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
    EXPECT_EQ(std::adjacent_find(all.begin(), all.end()), all.end());
}

TEST(CapabilitiesTest, DefaultSetsHoldKnownNamesAndNoRawNetwork) {
    for (const auto& set : {default_capabilities(), engine_capabilities()}) {
        for (const std::string_view name : set) {
            EXPECT_TRUE(parse_capability(name)) << name;
            EXPECT_NE(name, "NET_RAW");
            EXPECT_NE(name, "NET_ADMIN");
        }
    }
}

}  // namespace
}  // namespace alca::config
