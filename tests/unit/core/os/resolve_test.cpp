#include "core/os/resolve.hpp"

#include <gmock/gmock.h>

namespace alca::os {
namespace {

using testing::Contains;
using testing::ElementsAre;

TEST(ResolveTest, AnAddressIsItself) {
    EXPECT_THAT(*resolve("192.0.2.7", -1), ElementsAre("192.0.2.7"));
    EXPECT_THAT(*resolve("2001:DB8::7", -1), ElementsAre("2001:db8::7"));
}

TEST(ResolveTest, NamesAreLookedUpAsTheMachineDoesIt) {
    const auto found = resolve("localhost", -1);
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_THAT(*found, Contains("127.0.0.1"));
}

TEST(ResolveTest, WhatCannotBeANameIsNotFound) {
    const auto found = resolve("a..b", -1);
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, Code::not_found);
}

}  // namespace
}  // namespace alca::os
