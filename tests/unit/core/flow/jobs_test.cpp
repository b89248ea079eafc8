#include "core/flow/jobs.hpp"

#include <gmock/gmock.h>

namespace alca::flow {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST(JobsTest, AreParsedTheLatestFirst) {
    const auto jobs = parse_jobs(
        "job web running 1000:1000\n keeper 7\n started 100\n command npm run dev\n"
        "job sh ended 0:0\n keeper 9\n started 200\n command sh -c x\n exit 3 250\n");

    ASSERT_THAT(jobs, SizeIs(2));
    EXPECT_EQ(jobs[0].name, "sh");
    EXPECT_EQ(jobs[0].state, Job::State::ended);
    EXPECT_EQ(jobs[0].user, "0:0");
    EXPECT_EQ(jobs[0].exit_code, 3);
    EXPECT_EQ(jobs[0].ended, 250);
    EXPECT_EQ(jobs[1].name, "web");
    EXPECT_EQ(jobs[1].state, Job::State::running);
    EXPECT_EQ(jobs[1].user, "1000:1000");
    EXPECT_EQ(jobs[1].started, 100);
    EXPECT_EQ(jobs[1].exit_code, std::nullopt);
    EXPECT_EQ(jobs[1].command, "npm run dev");
}

TEST(JobsTest, WhatDoesNotFitIsLeftOut) {
    EXPECT_THAT(parse_jobs(""), IsEmpty());
    EXPECT_THAT(parse_jobs(" started 1\nnoise\n command x\njob x\njob x gone 0:0\n"), IsEmpty());
    EXPECT_THAT(parse_jobs("job -s9 running 0:0\njob * running 0:0\njob x running 0\n"), IsEmpty());
    EXPECT_THAT(parse_jobs("job x running root\njob x running \njob  running 0:0\n"), IsEmpty());
    const auto jobs = parse_jobs("job x ended 0:0\n started -5\n exit 99999999999 x\n\n command y");
    ASSERT_THAT(jobs, SizeIs(1));
    EXPECT_EQ(jobs[0].started, 0);
    EXPECT_EQ(jobs[0].exit_code, std::nullopt);
    EXPECT_EQ(jobs[0].ended, 0);
    // The empty line ended it: what follows belongs to nobody.
    EXPECT_EQ(jobs[0].command, "");
}

TEST(JobsTest, WhatAlcaInitIsAsked) {
    EXPECT_THAT(list_jobs(), ElementsAre("/alca-init", "job", "/alca-jobs", "list"));
    EXPECT_THAT(show_job("x"), ElementsAre("/alca-init", "job", "/alca-jobs", "show", "x"));
    EXPECT_THAT(start_job("", {"a", "b c"}),
                ElementsAre("/alca-init", "job", "/alca-jobs", "start", "", "a", "b c"));
    EXPECT_THAT(print_log("x", std::nullopt, false),
                ElementsAre("/alca-init", "job", "/alca-jobs", "log", "x", "all"));
    EXPECT_THAT(print_log("x", 5, true),
                ElementsAre("/alca-init", "job", "/alca-jobs", "log", "x", "5", "follow"));
    EXPECT_THAT(signal_job("x", 10),
                ElementsAre("/alca-init", "job", "/alca-jobs", "signal", "x", "10"));
    EXPECT_THAT(end_job("x", 500),
                ElementsAre("/alca-init", "job", "/alca-jobs", "end", "x", "500"));
}

}  // namespace
}  // namespace alca::flow
