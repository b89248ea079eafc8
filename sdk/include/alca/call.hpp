// alca/call.hpp - what one call carries besides its data: cancellation, log, progress.
#ifndef ALCA_CALL_HPP
#define ALCA_CALL_HPP

#include <cstdint>
#include <string>
#include <string_view>

namespace alca {

enum class LogLevel : std::int32_t { debug = 0, info = 1, warn = 2, error = 3 };

// One step of work that a person waits for.
struct Progress {
    std::string step{};  // what is done, such as "pulling alpine:3.21"; "" continues the last step
    std::uint64_t done = 0;   // in `unit`
    std::uint64_t total = 0;  // in `unit`; 0: not known
    std::string unit{};       // "bytes", "files", or "" for a step without a count
    bool finished = false;
};

// The caller's side of one call. Valid until the call returns; its functions may be used from any
// thread.
class Call {
  public:
    virtual ~Call() = default;

    // Readable from the moment the user cancels (or the time is up) on, and stays so. Poll it;
    // never read or close it. -1: this call cannot be cancelled.
    [[nodiscard]] virtual int cancel_fd() const = 0;
    // One line, no secrets. Shown with -v (info), -vv (debug); warn and error always.
    virtual void log(LogLevel level, std::string_view line) const = 0;
    virtual void progress(const Progress& progress) const = 0;

    // Asks, without waiting, whether cancel_fd is readable.
    [[nodiscard]] bool cancelled() const;

  protected:
    Call() = default;
    Call(const Call&) = default;
    Call& operator=(const Call&) = default;
};

}  // namespace alca

#include <poll.h>

namespace alca {
inline bool Call::cancelled() const {
    if (cancel_fd() < 0) return false;
    pollfd entry{cancel_fd(), POLLIN, 0};
    return ::poll(&entry, 1, 0) > 0;
}
}  // namespace alca

#endif
