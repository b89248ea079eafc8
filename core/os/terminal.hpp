// core/os/terminal.hpp - the user's terminal: raw mode for the time of a command, and its size.
#ifndef ALCA_CORE_OS_TERMINAL_HPP
#define ALCA_CORE_OS_TERMINAL_HPP

#include <termios.h>

#include <cstdint>
#include <optional>

#include "alca/result.hpp"
#include "core/os/fd.hpp"

namespace alca::os {

struct WindowSize {
    std::uint16_t rows = 0;
    std::uint16_t cols = 0;
    friend bool operator==(const WindowSize&, const WindowSize&) = default;
};

// nullopt: `fd` is not a terminal, or does not know its size.
[[nodiscard]] std::optional<WindowSize> window_size(int fd);

// The terminal behind `fd` once more, for writing that never waits: one that polls as writable may
// take a single byte and then keep its writer. `fd` itself is shared with others, so its flags are
// left alone. None: it is no terminal of this user's.
[[nodiscard]] Fd open_without_waiting(int fd);

// The terminal behind `fd` in raw mode for the life of the object; its old modes come back at the
// end.
class RawTerminal {
  public:
    // Borrows `fd`. Errors: failed (not a terminal).
    [[nodiscard]] static Result<RawTerminal> enter(int fd);

    RawTerminal(RawTerminal&& other) noexcept;
    RawTerminal& operator=(RawTerminal&&) = delete;
    RawTerminal(const RawTerminal&) = delete;
    RawTerminal& operator=(const RawTerminal&) = delete;
    ~RawTerminal();

    [[nodiscard]] const termios& saved() const { return saved_; }

  private:
    RawTerminal(int fd, const termios& saved) : fd_(fd), saved_(saved) {}
    int fd_;
    termios saved_;
};

}  // namespace alca::os

#endif
