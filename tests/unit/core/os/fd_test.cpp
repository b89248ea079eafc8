#include "core/os/fd.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

namespace alca::os {
namespace {

int open_null() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }
bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

TEST(FdTest, ClosesAtTheEndOfItsLife) {
    const int number = open_null();
    {
        const Fd fd(number);
    }
    EXPECT_FALSE(is_open(number));
}

TEST(FdTest, AReleasedDescriptorStaysOpen) {
    int number = -1;
    {
        Fd fd(open_null());
        number = fd.release();
        EXPECT_FALSE(fd);
    }
    EXPECT_TRUE(is_open(number));
    ::close(number);
}

TEST(FdTest, AssignmentClosesTheOldOneAndMovesTheNewOne) {
    Fd a(open_null());
    Fd b(open_null());
    const int old = a.get();
    const int moved = b.get();

    a = std::move(b);

    EXPECT_FALSE(is_open(old));
    EXPECT_EQ(a.get(), moved);
    EXPECT_TRUE(is_open(moved));
}

TEST(FdTest, NoneIsFalse) {
    EXPECT_FALSE(Fd());
    EXPECT_FALSE(Fd(-1));
}

}  // namespace
}  // namespace alca::os
