#include "core/flow/limited_call.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include "tests/support/fakes/fake_call.hpp"

namespace alca::flow {
namespace {

using std::chrono::seconds;

TEST(LimitedCallTest, IsNotCancelledBeforeItsTime) {
    const fakes::FakeCall call;
    const auto limited = LimitedCall::make(call, seconds(3600));
    ASSERT_TRUE(limited) << limited.error().message;

    EXPECT_FALSE(limited->cancelled());
    EXPECT_FALSE(limited->is_expired());
}

TEST(LimitedCallTest, IsCancelledWithTheCallerAndThenItsTimeIsNotTheReason) {
    const fakes::FakeCall call;
    const auto limited = LimitedCall::make(call, seconds(3600));
    ASSERT_TRUE(limited);

    call.cancel();

    EXPECT_TRUE(limited->cancelled());
    EXPECT_FALSE(limited->is_expired());
}

TEST(LimitedCallTest, IsCancelledWhenItsTimeIsUp) {
    const fakes::FakeCall call;
    const auto limited = LimitedCall::make(call, seconds(1));
    ASSERT_TRUE(limited);

    pollfd entry{limited->cancel_fd(), POLLIN, 0};
    ASSERT_EQ(::poll(&entry, 1, 10'000), 1);
    EXPECT_TRUE(limited->is_expired());

    call.cancel();
    EXPECT_FALSE(limited->is_expired()) << "the user is the reason now";
}

TEST(LimitedCallTest, ACallerThatCannotBeCancelledLimitsTheTimeAlone) {
    class Endless final : public Call {
      public:
        [[nodiscard]] int cancel_fd() const override { return -1; }
        void log(LogLevel level, std::string_view line) const override {
            static_cast<void>(level);
            static_cast<void>(line);
        }
        void progress(const Progress& progress) const override { static_cast<void>(progress); }
    };
    const Endless call;
    const auto limited = LimitedCall::make(call, seconds(3600));

    ASSERT_TRUE(limited);
    EXPECT_FALSE(limited->cancelled());
}

TEST(LimitedCallTest, WhatIsLoggedReachesTheCaller) {
    const fakes::FakeCall call;
    const auto limited = LimitedCall::make(call, seconds(3600));
    ASSERT_TRUE(limited);

    limited->log(LogLevel::info, "a line");

    EXPECT_EQ(call.lines(), std::vector<std::string>{"a line"});
}

}  // namespace
}  // namespace alca::flow
