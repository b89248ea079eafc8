// core/os/crash.hpp - the last words of a crashed program: which plugin it was in.
#ifndef ALCA_CORE_OS_CRASH_HPP
#define ALCA_CORE_OS_CRASH_HPP

#include <sys/types.h>
#include <termios.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>

#include "core/os/terminal_modes.hpp"

namespace alca::os {

// Which thread is inside which plugin. All members may be read by a signal handler.
class Breadcrumb {
    struct Slot {
        std::atomic<pid_t> thread{0};  // 0: free
        std::atomic<const char*> plugin{nullptr};
    };

  public:
    // Marks the calling thread as inside `plugin` for the life of the object; scopes nest. The
    // text must live as long. With more than kThreads threads inside plugins the rest are unmarked.
    class Scope {
      public:
        Scope(Breadcrumb& breadcrumb, const char* plugin) noexcept;
        ~Scope();
        Scope(const Scope&) = delete;
        Scope& operator=(const Scope&) = delete;

      private:
        Slot* slot_ = nullptr;
        const char* outer_ = nullptr;
    };

    // The plugin that the calling thread is in, else one that any thread is in (a plugin may have
    // threads of its own), else nullptr. Async-signal-safe.
    [[nodiscard]] const char* plugin() const noexcept;

  private:
    static constexpr std::size_t kThreads = 16;
    std::array<Slot, kThreads> slots_;
};

// The terminal as it must be left. Who changes its mode fills fd and saved first, then sets
// active; and clears active after restoring.
struct TerminalState {
    std::atomic<bool> active{false};
    int fd = -1;
    termios saved{};
    const TerminalModes* modes =
        nullptr;  // of what was written to stdout; nullptr: nothing to undo
};

// While it lives, SIGSEGV, SIGABRT, SIGBUS, SIGILL and SIGFPE restore the terminal, write
// "alca: crashed inside plugin X" to stderr and end the process with that signal. Runs on a stack
// of its own in the thread that made it, so that an overflow of the stack is reported too.
// One per process. Borrows both arguments.
class CrashHandler {
  public:
    CrashHandler(const Breadcrumb& breadcrumb, const TerminalState& terminal);
    ~CrashHandler();
    CrashHandler(const CrashHandler&) = delete;
    CrashHandler& operator=(const CrashHandler&) = delete;

  private:
    std::unique_ptr<std::byte[]> stack_;
};

}  // namespace alca::os

#endif
