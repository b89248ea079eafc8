#include "core/flow/verify_sandbox.hpp"

#include <gmock/gmock.h>

#include "support.hpp"

namespace alca::flow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class VerifySandboxTest : public FlowTest {
  protected:
    Result<std::vector<std::string>> verify(const std::vector<std::string>& gateways) {
        const SandboxSpec spec = sandbox().effective;
        return verify_from_inside(
            context(), make_ref(state()),
            {.spec = spec, .gateways = gateways, .image_volumes = {}, .isolated = true});
    }
};

TEST_F(VerifySandboxTest, ProbesTheGatewaysItWasGivenAndNothingElse) {
    be_up();
    // The report of the fake has one line for each probe that was asked for.
    std::string text;
    runtime.spoil = [&](fakes::InsideReport& report) { text = report.text(); };

    const auto problems = verify({"172.30.0.17", "fd00::1"});

    ASSERT_TRUE(problems);
    EXPECT_THAT(*problems, IsEmpty());
    EXPECT_THAT(text, HasSubstr("probe 172.30.0.17 EHOSTUNREACH\nprobe fd00::1 EACCES\n"));
    EXPECT_EQ(text.find("probe "), text.find("probe 172.30.0.17 "));
}

TEST_F(VerifySandboxTest, AHelperThatFailsProvesNothing) {
    be_up();
    ASSERT_TRUE(down({.keep = true}));

    const auto problems = verify({"172.30.0.17"});

    EXPECT_THAT(message_of(problems), HasSubstr("cannot verify the sandbox from inside"));
}

TEST_F(VerifySandboxTest, AnAnswerThatIsTooLargeIsAnErrorAndFillsNoMemory) {
    be_up();
    runtime.spoil = [](fakes::InsideReport& report) {
        report.add(std::string(std::size_t{5} * 1024 * 1024, 'x'));
    };

    EXPECT_THAT(message_of(verify({"172.30.0.17"})), HasSubstr("cannot verify"));
}

// ---- whose is it --------------------------------------------------------------------------------

class CheckOursTest : public testing::Test {
  protected:
    CheckOursTest() {
        state.project_id = "id";
        state.directory.path = "/p";
        state.container_name = "alca-1";
        state.container_id = "c1";
        status.state = SandboxState::running;
        status.container_id = "c1";
        status.labels = {{"alca.project.id", "id"}, {"alca.project.path", "/p"}};
    }
    project::State state;
    SandboxStatus status;
};

TEST_F(CheckOursTest, AContainerThatAgreesInAllIsOurs) { EXPECT_TRUE(check_ours(status, state)); }

TEST_F(CheckOursTest, AnotherProjectsContainerIsNot) {
    status.labels["alca.project.id"] = "id2";

    const auto ours = check_ours(status, state);

    EXPECT_THAT(message_of(ours), HasSubstr("alca-1 exists but does not belong to this project"));
}

TEST_F(CheckOursTest, AContainerWithoutLabelsIsNot) {
    status.labels.clear();
    EXPECT_FALSE(check_ours(status, state));
}

TEST_F(CheckOursTest, AContainerOfAnotherPathIsNotAndTheWayOutIsNamed) {
    status.labels["alca.project.path"] = "/old";

    EXPECT_THAT(message_of(check_ours(status, state)),
                testing::AllOf(HasSubstr("moved from /old to /p"), HasSubstr("alca down")));
}

TEST_F(CheckOursTest, AContainerThatTookTheNameOfOursIsNot) {
    status.container_id = "c2";

    EXPECT_THAT(message_of(check_ours(status, state)), HasSubstr("not the one that alca made"));
}

TEST_F(CheckOursTest, AnIdThatWasNotYetWrittenDownIsNotCompared) {
    state.container_id.clear();
    EXPECT_TRUE(check_ours(status, state));
}

}  // namespace
}  // namespace alca::flow
