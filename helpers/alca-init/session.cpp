#include "session.hpp"

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "descendants.hpp"
#include "terminal.hpp"
#include "text.hpp"

namespace alca::init {
namespace {

constexpr int kSignalBase = 128;
// Beyond the first bound the client is read only now and then: enough to find a signal or its end
// behind data that nobody takes, too little to fill the memory.
constexpr std::size_t kLongQueueBytes = std::size_t{1} << 20;
constexpr std::size_t kMaxQueueBytes = std::size_t{64} << 20;
constexpr Milliseconds kSlowRead{250};
// A terminal holds at most this much output of a command that has ended; more comes from others.
constexpr std::size_t kMaxDrainBytes = std::size_t{1} << 20;
constexpr int kDrainMs = 100;

}  // namespace

int Session::run() {
    Outcome outcome = handle_events();
    while (outcome == Outcome::running) outcome = wait();
    if (outcome == Outcome::ended) {
        if (has_terminal()) drain_terminal();
        return exit_code_;
    }
    // A closed terminal ends what waits for it.
    command_.input.close();
    command_.terminal.close();
    end_descendants(outcome == Outcome::broken ? Ending::at_once : Ending::gentle);
    return outcome == Outcome::broken ? kExitOwnFailure : kSignalBase + SIGHUP;
}

Session::Outcome Session::handle_events() {
    while (true) {
        const Event event = client_.next();
        if (event.kind == Event::Kind::more) return Outcome::running;
        if (const Outcome outcome = handle_event(event); outcome != Outcome::running)
            return outcome;
    }
}

Session::Outcome Session::handle_event(const Event& event) {
    switch (event.kind) {
        case Event::Kind::data:
            return feed(event.bytes) ? Outcome::running : break_off("out of memory");
        case Event::Kind::end:
            return end_input() ? Outcome::running : break_off("out of memory");
        case Event::Kind::signal:
            deliver(event.signal);
            return Outcome::running;
        case Event::Kind::window:
            if (!has_terminal()) return break_off("window frame for a command without terminal");
            set_window(command_.input.get(), event.window);
            return Outcome::running;
        case Event::Kind::broken:
            return break_off(event.reason);
        case Event::Kind::exec:  // the parser lets only one pass, and that one started this session
        case Event::Kind::more:
            break;
    }
    return Outcome::running;
}

Session::Outcome Session::break_off(const char* reason) {
    complain("alca", {"run protocol: ", reason, "; the command was killed"});
    return Outcome::broken;
}

bool Session::may_read_client(Milliseconds time) const {
    if (queue_.size() < kLongQueueBytes) return true;
    return queue_.size() < kMaxQueueBytes && time >= next_read_;
}

int Session::poll_timeout_ms(Milliseconds time) const {
    if (may_read_client(time) || queue_.size() >= kMaxQueueBytes) return -1;
    return static_cast<int>((next_read_ - time).count());
}

Session::Outcome Session::wait() {
    const Milliseconds time = now();
    short input_events = queue_.is_empty() ? 0 : POLLOUT;
    if (has_terminal() && output_.empty()) input_events |= POLLIN;
    std::array<pollfd, 4> fds{};
    pollfd& child = fds[0];
    pollfd& client = fds[1];
    pollfd& input = fds[2];
    pollfd& output = fds[3];
    child = {.fd = signals_.get(), .events = POLLIN, .revents = 0};
    // A client's half of a socket ends without an error state.
    client = {.fd = STDIN_FILENO, .events = POLLRDHUP, .revents = 0};
    if (may_read_client(time)) client.events |= POLLIN;
    // Without wish no look: an error state would be reported for ever.
    input = {
        .fd = input_events == 0 ? -1 : command_.input.get(), .events = input_events, .revents = 0};
    output = {.fd = has_terminal() ? STDOUT_FILENO : -1, .events = 0, .revents = 0};
    if (!output_.empty()) output.events = POLLOUT;
    if (::poll(fds.data(), fds.size(), poll_timeout_ms(time)) < 0) return Outcome::running;

    if (child.revents != 0) {
        if (const Outcome outcome = check_children(); outcome != Outcome::running) return outcome;
    }
    if ((output.revents & POLLERR) != 0) return Outcome::client_gone;
    if ((output.revents & POLLOUT) != 0 && !write_output()) return Outcome::client_gone;
    if ((input.revents & POLLOUT) != 0 || (input.revents & POLLERR) != 0) flush_input();
    if (has_terminal() && (input.revents & POLLIN) != 0) read_terminal();
    if (client.revents == 0) return Outcome::running;
    // Not read, and yet an event: nobody holds the other end any more.
    if ((client.events & POLLIN) == 0) return Outcome::client_gone;
    next_read_ = time + kSlowRead;
    if (!client_.fill()) return Outcome::client_gone;
    return handle_events();
}

Session::Outcome Session::check_children() {
    signalfd_siginfo info{};
    // Only clears the event: several ends may be one signal.
    if (::read(signals_.get(), &info, sizeof info) < 0) return Outcome::running;
    const Reaped reaped = reap_children(command_.pid);
    if (!reaped.has_ended) return Outcome::running;
    exit_code_ = WIFSIGNALED(reaped.status) ? kSignalBase + WTERMSIG(reaped.status)
                                            : WEXITSTATUS(reaped.status);
    return Outcome::ended;
}

// Gives bytes to the command, or keeps them until it takes them. False: out of memory.
bool Session::feed(std::string_view bytes) {
    if (!command_.input.is_open()) return true;  // the command has closed its stdin
    if (queue_.is_empty()) bytes.remove_prefix(write_input(bytes));
    return !command_.input.is_open() || queue_.append(bytes);
}

bool Session::end_input() {
    // A terminal has no end; the byte that means it does what Ctrl-D does.
    if (has_terminal()) {
        const char end = end_of_file_byte(command_.input.get());
        return feed({&end, 1});
    }
    is_input_ended_ = true;
    if (queue_.is_empty()) command_.input.close();
    return true;
}

// Returns how many bytes the command took. Closes the pipe when nobody reads it any more.
std::size_t Session::write_input(std::string_view bytes) {
    ssize_t written = -1;
    do {
        written = ::write(command_.input.get(), bytes.data(), bytes.size());
    } while (written < 0 && errno == EINTR);
    if (written >= 0) return static_cast<std::size_t>(written);
    if (errno != EAGAIN && !has_terminal()) command_.input.close();
    return 0;
}

void Session::flush_input() {
    queue_.consume(write_input(queue_.view()));
    if (!command_.input.is_open()) queue_.consume(queue_.size());
    if (queue_.is_empty() && is_input_ended_) command_.input.close();
}

void Session::deliver(int signal) const {
    const pid_t foreground = has_terminal() ? ::tcgetpgrp(command_.input.get()) : -1;
    if (foreground > 0 && ::kill(-foreground, signal) == 0) return;
    ::kill(-command_.pid, signal);
}

// Takes what the command wrote to its terminal. False: nothing more will come.
bool Session::read_terminal() {
    const ssize_t count = ::read(command_.input.get(), chunk_.data(), chunk_.size());
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    output_ = {chunk_.data(), static_cast<std::size_t>(count)};
    return count > 0;
}

// Gives output to the client. False: it is gone.
bool Session::write_output() {
    const ssize_t written = ::write(STDOUT_FILENO, output_.data(), output_.size());
    if (written < 0) return errno == EAGAIN || errno == EINTR;
    output_.remove_prefix(static_cast<std::size_t>(written));
    return true;
}

// As long as it takes, for a client that is there. False: it is gone.
bool Session::wait_for_output() {
    std::array<pollfd, 2> fds{};
    fds[0] = {.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
    fds[1] = {.fd = STDIN_FILENO, .events = POLLRDHUP, .revents = 0};
    if (::poll(fds.data(), fds.size(), -1) < 0) return errno == EINTR;
    if (fds[1].revents != 0 || (fds[0].revents & POLLERR) != 0) return false;
    return (fds[0].revents & POLLOUT) == 0 || write_output();
}

// The command has ended; the kernel may still hold output of it.
void Session::drain_terminal() {
    command_.terminal.close();
    std::size_t left = kMaxDrainBytes;
    while (true) {
        while (!output_.empty()) {
            if (!wait_for_output()) return;
        }
        pollfd master{.fd = command_.input.get(), .events = POLLIN, .revents = 0};
        if (left == 0 || ::poll(&master, 1, kDrainMs) <= 0 || !read_terminal()) return;
        left -= std::min(left, output_.size());
    }
}

}  // namespace alca::init
