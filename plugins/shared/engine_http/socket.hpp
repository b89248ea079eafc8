// plugins/shared/engine_http/socket.hpp - a unix stream socket on which no wait is endless.
#ifndef ALCA_PLUGINS_SHARED_ENGINE_HTTP_SOCKET_HPP
#define ALCA_PLUGINS_SHARED_ENGINE_HTTP_SOCKET_HPP

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "alca/call.hpp"
#include "alca/result.hpp"
#include "plugins/shared/engine_http/fd.hpp"

namespace alca::engine_http {

// What ends a wait: the user, or time.
class Wait {
  public:
    // Starts the clock now. timeout: 0 means no limit.
    Wait(const Call& call, std::chrono::milliseconds timeout);
    // Only time ends it.
    explicit Wait(std::chrono::milliseconds timeout);

    // Until `fd` has one of `events` (as for poll; also after an error or hang-up of its peer).
    // Errors: cancelled; unavailable when the time is up.
    [[nodiscard]] Result<void> for_events(int fd, short events) const;
    // Sleeps, or returns early with an error as for_events.
    [[nodiscard]] Result<void> for_pause(std::chrono::milliseconds pause) const;

  private:
    [[nodiscard]] std::chrono::milliseconds left() const;
    [[nodiscard]] Error timed_out() const;

    int cancel_fd_;
    std::chrono::milliseconds timeout_;
    std::chrono::steady_clock::time_point start_;
};

// A connected socket; its descriptor does not block. Messages of errors say only what happened:
// the caller knows whom it talks to.
class Socket {
  public:
    // Errors: unavailable (nobody listens, time is up), denied (no right to connect), cancelled.
    [[nodiscard]] static Result<Socket> connect(const std::string& path, const Wait& wait);

    // Waits for bytes. 0: the peer has closed its side.
    [[nodiscard]] Result<std::size_t> read_some(std::span<char> into, const Wait& wait) const;
    [[nodiscard]] Result<void> write_all(std::string_view bytes, const Wait& wait) const;
    // An idle connection of which the peer has closed its side, or on which it speaks unasked.
    [[nodiscard]] bool is_stale() const;
    [[nodiscard]] int fd() const { return fd_.get(); }

  private:
    explicit Socket(Fd fd) : fd_(std::move(fd)) {}
    Fd fd_;
};

}  // namespace alca::engine_http

#endif
