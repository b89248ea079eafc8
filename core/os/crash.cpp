#include "core/os/crash.hpp"

#include <signal.h>
#include <unistd.h>

#include <string_view>

namespace alca::os {
namespace {

constexpr std::array kSignals = {SIGSEGV, SIGABRT, SIGBUS, SIGILL, SIGFPE};
constexpr std::size_t kStackBytes = std::size_t{64} * 1024;

// A signal handler gets no argument, so what it needs must be global.
// NOLINTBEGIN(cppcoreguidelines-avoid-non-const-global-variables)
std::atomic<const Breadcrumb*> breadcrumb_of_process{nullptr};
std::atomic<const TerminalState*> terminal_of_process{nullptr};
// NOLINTEND(cppcoreguidelines-avoid-non-const-global-variables)

// Nothing can be done about a failed write here.
void write_bytes(int fd, std::string_view bytes) {
    if (::write(fd, bytes.data(), bytes.size()) < 0) return;
}
void write_text(const char* text) { write_bytes(STDERR_FILENO, text); }

const char* name_of(int number) {
    switch (number) {
        case SIGSEGV:
            return "SIGSEGV";
        case SIGABRT:
            return "SIGABRT";
        case SIGBUS:
            return "SIGBUS";
        case SIGILL:
            return "SIGILL";
        default:
            return "SIGFPE";
    }
}

// Only async-signal-safe calls. SA_RESETHAND and SA_NODEFER are set, so raise ends the process.
extern "C" void on_crash(int number) {
    const TerminalState* terminal = terminal_of_process.load();
    if (terminal != nullptr && terminal->active.load()) {
        ::tcsetattr(terminal->fd, TCSANOW, &terminal->saved);
        if (terminal->modes != nullptr) write_bytes(STDOUT_FILENO, terminal->modes->reset().view());
    }
    const Breadcrumb* breadcrumb = breadcrumb_of_process.load();
    const char* plugin = breadcrumb != nullptr ? breadcrumb->plugin() : nullptr;
    write_text("alca: crashed");
    if (plugin != nullptr) {
        write_text(" inside plugin ");
        write_text(plugin);
    }
    write_text(" (");
    write_text(name_of(number));
    write_text("); run the command again, it repairs what was left half made\n");
    ::raise(number);
}

}  // namespace

Breadcrumb::Scope::Scope(Breadcrumb& breadcrumb, const char* plugin) noexcept {
    const pid_t self = ::gettid();
    for (Slot& slot : breadcrumb.slots_) {
        if (slot.thread.load() != self) continue;
        slot_ = &slot;
        outer_ = slot.plugin.exchange(plugin);
        return;
    }
    for (Slot& slot : breadcrumb.slots_) {
        pid_t expected = 0;
        if (!slot.thread.compare_exchange_strong(expected, self)) continue;
        slot_ = &slot;
        slot.plugin.store(plugin);
        return;
    }
}

Breadcrumb::Scope::~Scope() {
    if (slot_ == nullptr) return;
    slot_->plugin.store(outer_);
    if (outer_ == nullptr) slot_->thread.store(0);
}

const char* Breadcrumb::plugin() const noexcept {
    const pid_t self = ::gettid();
    const char* any = nullptr;
    for (const Slot& slot : slots_) {
        const char* plugin = slot.plugin.load();
        if (plugin == nullptr) continue;
        if (slot.thread.load() == self) return plugin;
        any = plugin;
    }
    return any;
}

CrashHandler::CrashHandler(const Breadcrumb& breadcrumb, const TerminalState& terminal)
    : stack_(std::make_unique<std::byte[]>(kStackBytes)) {
    breadcrumb_of_process.store(&breadcrumb);
    terminal_of_process.store(&terminal);
    stack_t stack{};
    stack.ss_sp = stack_.get();
    stack.ss_size = kStackBytes;
    ::sigaltstack(&stack, nullptr);
    struct sigaction action{};
    action.sa_handler = on_crash;
    action.sa_flags = static_cast<int>(SA_ONSTACK | SA_RESETHAND | SA_NODEFER);
    for (const int number : kSignals) ::sigaction(number, &action, nullptr);
}

CrashHandler::~CrashHandler() {
    for (const int number : kSignals) ::signal(number, SIG_DFL);
    stack_t off{};
    off.ss_flags = SS_DISABLE;
    ::sigaltstack(&off, nullptr);
    breadcrumb_of_process.store(nullptr);
    terminal_of_process.store(nullptr);
}

}  // namespace alca::os
