// core/flow/limited_call.hpp - a call that also ends when its time is up.
#ifndef ALCA_CORE_FLOW_LIMITED_CALL_HPP
#define ALCA_CORE_FLOW_LIMITED_CALL_HPP

#include <chrono>

#include "alca/call.hpp"
#include "alca/result.hpp"
#include "core/os/fd.hpp"

namespace alca::flow {

// The same log and progress as `call`, cancelled with it or after `limit`, whichever is first.
// Borrows `call`.
class LimitedCall final : public Call {
  public:
    [[nodiscard]] static Result<LimitedCall> make(const Call& call, std::chrono::seconds limit);

    [[nodiscard]] int cancel_fd() const override { return either_.get(); }
    void log(LogLevel level, std::string_view line) const override { call_->log(level, line); }
    void progress(const Progress& progress) const override { call_->progress(progress); }

    // The time is up, and not the user's patience.
    [[nodiscard]] bool is_expired() const;

  private:
    LimitedCall(const Call& call, os::Fd timer, os::Fd either)
        : call_(&call), timer_(std::move(timer)), either_(std::move(either)) {}

    const Call* call_;
    os::Fd timer_;
    os::Fd either_;  // an epoll of the timer and the caller's cancel_fd: readable with either
};

}  // namespace alca::flow

#endif
