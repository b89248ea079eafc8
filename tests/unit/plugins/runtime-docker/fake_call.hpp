// A host's side of a call that remembers what it is told.
#ifndef ALCA_TESTS_UNIT_PLUGINS_RUNTIME_DOCKER_FAKE_CALL_HPP
#define ALCA_TESTS_UNIT_PLUGINS_RUNTIME_DOCKER_FAKE_CALL_HPP

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "alca/call.hpp"
#include "plugins/shared/engine_http/fd.hpp"

namespace alca::test {

class FakeCall final : public Call {
  public:
    FakeCall() {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) == 0) {
            read_ = engine_http::Fd(ends[0]);
            write_ = engine_http::Fd(ends[1]);
        }
    }

    [[nodiscard]] int cancel_fd() const override { return read_.get(); }
    void log(LogLevel /*level*/, std::string_view line) const override { lines.emplace_back(line); }
    void progress(const Progress& step) const override { steps.push_back(step); }

    void cancel() const { static_cast<void>(::write(write_.get(), "x", 1)); }
    // Cancels from another thread, once the call under test has had time to wait for something.
    [[nodiscard]] std::jthread cancel_after(std::chrono::milliseconds time) const {
        return std::jthread([this, time] {
            std::this_thread::sleep_for(time);
            cancel();
        });
    }

    mutable std::vector<std::string> lines;
    mutable std::vector<Progress> steps;

  private:
    engine_http::Fd read_;
    engine_http::Fd write_;
};

}  // namespace alca::test

#endif
