// `up` that goes wrong at each call it makes: nothing may be left, and the next `up` must work.
#include <gmock/gmock.h>

#include <functional>

#include "support.hpp"

namespace alca::flow {
namespace {

constexpr const char* kConfig = "[commands]\nup = \"make\"\n";

// What comes before the calls that are broken one after the other.
struct Start {
    const char* name;
    void (*arrange)(World&);
    const char* config;  // of the `up` that is broken
    UpOptions options;
};

void nothing(World& world) { static_cast<void>(world); }

void rebuild(World& world) { world.be_up("workdir = \"/old\"\n"); }

void interrupted(World& world) {
    world.be_up(kConfig);
    project::State state = world.state();
    state.phase = project::Phase::preparing;
    world.save(state);
}

// The calls of an `up` from there in which nothing goes wrong.
std::size_t count_calls(const Start& start) {
    World world;
    start.arrange(world);
    const auto done = world.up(start.config, start.options);
    EXPECT_TRUE(done) << done.error().message;
    return world.journal.entries().size();
}

void expect_nothing_half_made(World& world) {
    const project::State state = world.state();
    if (!world.journal.has("runtime.prepare") && state.phase != project::Phase::absent) {
        // It went wrong before this `up` made anything: what was there before is still held.
        if (world.runtime.containers.empty()) return;
        EXPECT_TRUE(world.firewall.isolates(state.network.interface));
        return;
    }
    EXPECT_EQ(state.phase, project::Phase::absent);
    EXPECT_EQ(world.left_over(), "");
    EXPECT_EQ(state.container_id, "");
}

void expect_up_works(World& world, const Start& start) {
    world.forget();
    World after_cancel;  // its call is not cancelled
    const Context context{.runtime = {.id = "runtime-fake", .runtime = world.runtime},
                          .firewall = world.context().firewall,
                          .store = world.store,
                          .host = world.host,
                          .ui = world.ui,
                          .call = after_cancel.call};
    const auto done = up(context, world.config(start.config), start.options);
    EXPECT_TRUE(done) << done.error().message;
    EXPECT_TRUE(world.is_running());
    EXPECT_EQ(world.runtime.networks.size(), 1U);
    EXPECT_EQ(world.firewall.rules.size(), 1U);
    EXPECT_EQ(world.state().phase, project::Phase::ready);
}

class UpFailureTest : public testing::TestWithParam<Start> {
  protected:
    // Runs `up` once for each call it makes, with a fault there. `check` sees what came of it.
    static void at_each_call(
        const std::function<fakes::Fault(World&)>& fault,
        const std::function<void(World&, const Result<void>&, bool last)>& check) {
        const Start& start = GetParam();
        const std::size_t calls = count_calls(start);
        ASSERT_GT(calls, 5U);
        for (std::size_t at = 0; at < calls; ++at) {
            World world;
            start.arrange(world);
            fakes::Fault here = fault(world);
            here.at = at;
            world.journal.plan(here);
            const auto done = world.up(start.config, start.options);
            ASSERT_GT(world.journal.entries().size(), at);
            SCOPED_TRACE("call " + std::to_string(at) + ", " + world.journal.entries()[at]);
            check(world, done, at + 1 == calls);
        }
    }
};

TEST_P(UpFailureTest, ACallThatFailsLeavesNothingHalfMade) {
    at_each_call(
        [](World&) {
            return fakes::Fault{
                .at = 0, .after = false, .error = Error{Code::failed, "broken"}, .action = {}};
        },
        [](World& world, const Result<void>& done, bool) {
            ASSERT_FALSE(done);
            EXPECT_THAT(done.error().message, testing::HasSubstr("broken"));
            EXPECT_FALSE(world.ui.has_said("Environment ready"));
            expect_nothing_half_made(world);
            expect_up_works(world, GetParam());
        });
}

TEST_P(UpFailureTest, ACallThatFailsAfterItsEffectLeavesNothingHalfMade) {
    at_each_call(
        [](World&) {
            return fakes::Fault{
                .at = 0, .after = true, .error = Error{Code::failed, "broken"}, .action = {}};
        },
        [](World& world, const Result<void>& done, bool) {
            ASSERT_FALSE(done);
            expect_nothing_half_made(world);
            expect_up_works(world, GetParam());
        });
}

TEST_P(UpFailureTest, CancellationBeforeACallLeavesNothingHalfMade) {
    at_each_call(
        [](World& world) {
            return fakes::Fault{
                .at = 0, .after = false, .error = {}, .action = [&world] { world.call.cancel(); }};
        },
        [](World& world, const Result<void>& done, bool) {
            ASSERT_FALSE(done);
            EXPECT_EQ(done.error().code, Code::cancelled);
            EXPECT_FALSE(world.ui.has_said("Environment ready"));
            expect_nothing_half_made(world);
            expect_up_works(world, GetParam());
        });
}

TEST_P(UpFailureTest, CancellationAfterACallLeavesNothingHalfMade) {
    at_each_call(
        [](World& world) {
            return fakes::Fault{
                .at = 0, .after = true, .error = {}, .action = [&world] { world.call.cancel(); }};
        },
        [](World& world, const Result<void>& done, bool last) {
            // After the last call there is nothing left to be stopped.
            ASSERT_EQ(done.has_value(), last);
            if (last) return;
            EXPECT_EQ(done.error().code, Code::cancelled);
            expect_nothing_half_made(world);
            expect_up_works(world, GetParam());
        });
}

// From one call on no state can be written: what stands in the way is a file where the directory
// of the states was, which stops root too.
TEST_P(UpFailureTest, AStateThatCannotBeWrittenLeavesNothingBehind) {
    at_each_call(
        [](World& world) {
            return fakes::Fault{.at = 0, .after = true, .error = {}, .action = [&world] {
                                    const fs::path states = world.project.state() / "projects";
                                    fs::rename(states, world.project.state() / "kept");
                                    fakes::write_text(states, "");
                                }};
        },
        [](World& world, const Result<void>& done, bool) {
            EXPECT_FALSE(done);
            EXPECT_FALSE(world.ui.has_said("Environment ready"));
            EXPECT_EQ(world.runtime.containers.size() + world.firewall.rules.size(), 0U)
                << world.left_over();
            const fs::path states = world.project.state() / "projects";
            fs::remove(states);
            fs::rename(world.project.state() / "kept", states);
            expect_up_works(world, GetParam());
        });
}

// What cannot be undone is told, and the first error stays the error.
TEST(UpUndoTest, AContainerThatCannotBeRemovedIsNamedBesideTheFirstError) {
    World world;
    world.runtime.spoil = [&world](fakes::InsideReport& report) {
        ASSERT_TRUE(report.replace("status Seccomp ", "status Seccomp 0"));
        // Behind exec verify: status, then remove.
        world.journal.plan({.at = world.journal.entries().size() + 1,
                            .after = false,
                            .error = Error{Code::failed, "engine is gone"},
                            .action = {}});
    };

    const auto done = world.up();

    EXPECT_THAT(message_of(done), testing::HasSubstr("no system call filter"));
    EXPECT_TRUE(world.ui.has_warned("run: alca down (engine is gone)"));
    EXPECT_NE(world.state().phase, project::Phase::ready);
    EXPECT_NE(world.state().phase, project::Phase::absent);
    EXPECT_TRUE(world.firewall.isolates(world.state().network.interface))
        << "the rules of a container that is still there were taken away";
}

INSTANTIATE_TEST_SUITE_P(From, UpFailureTest,
                         testing::Values(Start{"nothing", nothing, kConfig, {}},
                                         Start{"a_rebuild", rebuild, kConfig, {.force = true}},
                                         Start{"an_interrupted_run", interrupted, kConfig, {}}),
                         [](const auto& start) { return std::string(start.param.name); });

}  // namespace
}  // namespace alca::flow
