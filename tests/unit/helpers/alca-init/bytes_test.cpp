#include "helpers/alca-init/bytes.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace alca::init {
namespace {

TEST(BytesTest, HoldsWhatWasAppendedLessWhatWasConsumed) {
    std::mt19937 random(1);
    Bytes bytes;
    std::string expected;
    for (int i = 0; i < 5000; ++i) {
        const std::string more(random() % 100, static_cast<char>(random()));
        ASSERT_TRUE(bytes.append(more));
        expected += more;
        const std::size_t count = random() % (expected.size() + 1);
        bytes.consume(count);
        expected.erase(0, count);
        ASSERT_EQ(bytes.view(), expected);
    }
}

}  // namespace
}  // namespace alca::init
