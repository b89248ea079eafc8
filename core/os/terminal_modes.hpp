// core/os/terminal_modes.hpp - which modes of the user's terminal a command has switched on.
#ifndef ALCA_CORE_OS_TERMINAL_MODES_HPP
#define ALCA_CORE_OS_TERMINAL_MODES_HPP

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace alca::os {

// Bytes for a terminal. Allocates nothing: a crash handler makes them too.
class ResetSequence {
  public:
    void add(std::string_view bytes) noexcept {
        size_ += bytes.copy(bytes_.data() + size_, bytes_.size() - size_);
    }
    [[nodiscard]] std::string_view view() const noexcept { return {bytes_.data(), size_}; }

  private:
    std::array<char, 512> bytes_{};
    std::size_t size_ = 0;
};

// Reads along what a command writes to a terminal, and remembers what would be a nuisance after it:
// alternate screen, hidden cursor, mouse and paste reports and the like. Not a terminal emulator:
// what else passes is not looked at.
// One thread scans; another one, or a signal handler, may ask for the reset at the same time.
class TerminalModes {
  public:
    // The next bytes; a sequence may be cut anywhere between two calls.
    void scan(std::string_view bytes) noexcept;

    // Undoes what is on, and nothing else; empty when nothing is. Async-signal-safe.
    [[nodiscard]] ResetSequence reset() const noexcept;

  private:
    enum class State : std::uint8_t { text, escape, charset, skip_one, control, string };

    void step(char byte) noexcept;
    void take_escaped(char byte) noexcept;
    void take_control(char final) noexcept;
    void take_plain_control(char final, std::string_view numbers) noexcept;
    void set_private_modes(std::string_view numbers, bool to) noexcept;
    void set_keyboard(char action, std::string_view numbers) noexcept;
    void turn(std::uint64_t bits, bool to) noexcept { now_ = to ? now_ | bits : now_ & ~bits; }

    State state_ = State::text;
    std::array<char, 128> control_{};   // what stands between CSI and its last byte
    std::size_t control_size_ = 0;      // counts on beyond what fits
    std::uint64_t now_ = 0;             // bits of terminal_modes.cpp
    std::atomic<std::uint64_t> on_{0};  // the same after the last scan
};

}  // namespace alca::os

#endif
