// The caller's side of a call: can be cancelled, remembers what was logged.
#ifndef ALCA_TESTS_SUPPORT_FAKES_FAKE_CALL_HPP
#define ALCA_TESTS_SUPPORT_FAKES_FAKE_CALL_HPP

#include <sys/eventfd.h>

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "alca/call.hpp"
#include "core/os/fd.hpp"

namespace alca::fakes {

class FakeCall final : public Call {
  public:
    FakeCall() : cancelled_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

    void cancel() const { static_cast<void>(::eventfd_write(cancelled_.get(), 1)); }

    [[nodiscard]] int cancel_fd() const override { return cancelled_.get(); }
    void log(LogLevel level, std::string_view line) const override {
        static_cast<void>(level);
        const std::lock_guard lock(mutex_);
        lines_.emplace_back(line);
    }
    void progress(const Progress& progress) const override { static_cast<void>(progress); }

    [[nodiscard]] std::vector<std::string> lines() const {
        const std::lock_guard lock(mutex_);
        return lines_;
    }

  private:
    os::Fd cancelled_;
    mutable std::mutex mutex_;
    mutable std::vector<std::string> lines_;
};

}  // namespace alca::fakes

#endif
