#include "plugins/shared/engine_http/pump.hpp"

#include <fmt/format.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <system_error>
#include <vector>

#include "plugins/shared/engine_http/demux.hpp"

namespace alca::engine_http {

namespace {

constexpr std::size_t kBufferBytes = 64U << 10;

std::string errno_text(int error) { return std::generic_category().message(error); }

// Writing to a pipe without reader raises SIGPIPE. Signals belong to the host, so it is held back
// in this thread only, and one that our own write has raised is taken away again.
class SigpipeHeldBack {
  public:
    SigpipeHeldBack() {
        sigset_t pending;
        ::sigemptyset(&pipe_);
        ::sigaddset(&pipe_, SIGPIPE);
        ::sigpending(&pending);
        was_pending_ = ::sigismember(&pending, SIGPIPE) == 1;
        ::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
    }
    SigpipeHeldBack(const SigpipeHeldBack&) = delete;
    SigpipeHeldBack& operator=(const SigpipeHeldBack&) = delete;
    ~SigpipeHeldBack() {
        const timespec no_wait{};
        while (!was_pending_ && ::sigtimedwait(&pipe_, nullptr, &no_wait) < 0 && errno == EINTR) {
        }
        ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }

  private:
    sigset_t pipe_{};
    sigset_t before_{};
    bool was_pending_ = false;
};

// How much one write may take after poll said that there is room. A pipe or terminal that blocks
// promises room for PIPE_BUF bytes only; files never wait for a reader.
std::size_t write_limit(int fd) {
    struct stat info{};
    if (::fstat(fd, &info) != 0) return PIPE_BUF;
    return S_ISREG(info.st_mode) ? kBufferBytes : PIPE_BUF;
}

// Bytes on their way from one side to the other. Filled only when empty.
class Buffer {
  public:
    [[nodiscard]] bool is_empty() const { return begin_ == end_; }
    [[nodiscard]] std::string_view bytes() const { return {data_.data() + begin_, end_ - begin_}; }
    [[nodiscard]] char* space() { return data_.data(); }
    [[nodiscard]] std::size_t capacity() const { return data_.size(); }
    void set_filled(std::size_t size) {
        begin_ = 0;
        end_ = size;
    }
    void set(std::string_view text) {
        data_.resize(std::max(data_.size(), text.size()));
        std::copy(text.begin(), text.end(), data_.begin());
        set_filled(text.size());
    }
    void remove(std::size_t count) { begin_ += count; }

  private:
    std::vector<char> data_ = std::vector<char>(kBufferBytes);
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

class Pump {
  public:
    Pump(const Call& call, Stream stream, const Stdio& io, const ResizeHandler& on_resize)
        : call_(call),
          socket_(std::move(stream.socket)),
          io_(io),
          on_resize_(on_resize),
          out_limit_(write_limit(io.out)),
          err_limit_(write_limit(io.err)) {
        from_engine_.set(stream.received);
    }

    [[nodiscard]] Result<PumpEnd> run() {
        if (auto taken = take_payload(); !taken) return fail(taken.error());
        while (!(is_over_ && payload_.bytes.empty())) {
            auto entries = wanted_events();
            if (::poll(entries.data(), entries.size(), -1) < 0) {
                if (errno == EINTR) continue;
                return fail("poll: " + errno_text(errno));
            }
            auto moved = move_bytes(entries);
            if (!moved) return fail(moved.error());
            if (reader_is_gone_) return PumpEnd::reader_is_gone;
        }
        if (!io_.tty && !demux_.is_between_frames()) {
            return fail(Code::unavailable, "the connection was lost while the command ran");
        }
        return PumpEnd::stream_ended;
    }

  private:
    // Places in the array that is polled.
    static constexpr std::size_t kCancel = 0;
    static constexpr std::size_t kResize = 1;
    static constexpr std::size_t kInput = 2;
    static constexpr std::size_t kSocket = 3;
    static constexpr std::size_t kOutput = 4;
    using Entries = std::array<pollfd, 5>;

    // poll skips negative descriptors: what has nothing to do is switched off, or it would wake us
    // again and again.
    [[nodiscard]] Entries wanted_events() const {
        short socket_events = 0;
        if (!to_engine_.is_empty()) socket_events |= POLLOUT;
        if (payload_.bytes.empty() && !is_over_) socket_events |= POLLIN;
        const bool wants_input = to_engine_.is_empty() && !input_ended_;
        return {{
            {call_.cancel_fd(), POLLIN, 0},
            {resize_ended_ ? -1 : io_.resize_fd, POLLIN, 0},
            {wants_input ? io_.in : -1, POLLIN, 0},
            {socket_events == 0 ? -1 : socket_.fd(), socket_events, 0},
            {payload_.bytes.empty() ? -1 : output_fd(), POLLOUT, 0},
        }};
    }

    [[nodiscard]] Result<void> move_bytes(const Entries& entries) {
        if (entries[kCancel].revents != 0) return fail(Code::cancelled, "cancelled");
        if (entries[kResize].revents != 0) resize();
        if (entries[kOutput].revents != 0) {
            if (auto done = write_output(); !done) return done;
        }
        if (entries[kInput].revents != 0) {
            if (auto done = read_input(); !done) return done;
        }
        if ((entries[kSocket].revents & (POLLOUT | POLLERR)) != 0) write_socket();
        if ((entries[kSocket].revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
            if (auto done = read_socket(); !done) return done;
        }
        return {};
    }

    void resize() {
        const auto size = newest_size(io_.resize_fd);
        if (size) {
            on_resize_(*size);
        } else {
            resize_ended_ = true;
        }
    }

    [[nodiscard]] Result<void> read_input() {
        const ssize_t count = ::read(io_.in, to_engine_.space(), to_engine_.capacity());
        if (count > 0) {
            to_engine_.set_filled(static_cast<std::size_t>(count));
            write_socket();
        } else if (count == 0 || errno == EIO) {  // EIO: the terminal has gone
            end_input();
        } else if (errno != EINTR && errno != EAGAIN) {
            return fail("cannot read the input of the command: " + errno_text(errno));
        }
        return {};
    }

    void end_input() {
        input_ended_ = true;
        to_engine_.set_filled(0);
        ::shutdown(socket_.fd(), SHUT_WR);
    }

    // A command may close its input and go on: the stream's other half tells how it ends.
    void write_socket() {
        const std::string_view bytes = to_engine_.bytes();
        if (bytes.empty()) return;
        const ssize_t count = ::send(socket_.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count >= 0) {
            to_engine_.remove(static_cast<std::size_t>(count));
        } else if (errno != EINTR && errno != EAGAIN) {
            end_input();
        }
    }

    // After a payload has been written: more may wait in what was read already.
    [[nodiscard]] Result<void> read_socket() {
        if (is_over_ || !payload_.bytes.empty()) return {};
        const ssize_t count =
            ::recv(socket_.fd(), from_engine_.space(), from_engine_.capacity(), 0);
        if (count > 0) {
            from_engine_.set_filled(static_cast<std::size_t>(count));
            return take_payload();
        }
        if (count == 0) {
            is_over_ = true;
        } else if (errno != EINTR && errno != EAGAIN) {
            return fail(Code::unavailable,
                        "the connection was lost while the command ran: " + errno_text(errno));
        }
        return {};
    }

    // Output for which there is no descriptor is dropped here.
    [[nodiscard]] Result<void> take_payload() {
        std::string_view rest = from_engine_.bytes();
        const std::size_t before = rest.size();
        do {
            if (io_.tty) {
                payload_ = {Channel::out, std::exchange(rest, {})};
            } else {
                auto next = demux_.next(rest);
                if (!next) return fail(next.error());
                payload_ = *next;
            }
        } while (!payload_.bytes.empty() && output_fd() < 0);
        from_engine_.remove(before - rest.size());
        return {};
    }

    [[nodiscard]] int output_fd() const {
        return payload_.channel == Channel::err ? io_.err : io_.out;
    }

    [[nodiscard]] Result<void> write_output() {
        const std::size_t limit = payload_.channel == Channel::err ? err_limit_ : out_limit_;
        const ssize_t count =
            ::write(output_fd(), payload_.bytes.data(), std::min(limit, payload_.bytes.size()));
        if (count >= 0) {
            payload_.bytes.remove_prefix(static_cast<std::size_t>(count));
            return payload_.bytes.empty() ? take_payload() : Result<void>();
        }
        if (errno == EPIPE || errno == EIO) {
            reader_is_gone_ = true;
        } else if (errno != EINTR && errno != EAGAIN) {
            return fail("cannot write the output of the command: " + errno_text(errno));
        }
        return {};
    }

    const Call& call_;
    Socket socket_;
    const Stdio& io_;
    const ResizeHandler& on_resize_;
    std::size_t out_limit_;
    std::size_t err_limit_;
    Buffer to_engine_;
    Buffer from_engine_;
    Demux demux_;
    Payload payload_;  // into from_engine_; written before more is read
    bool input_ended_ = false;
    bool resize_ended_ = false;
    bool is_over_ = false;  // the engine has closed the stream
    bool reader_is_gone_ = false;
};

}  // namespace

std::optional<alca_winsize> newest_size(int fd) {
    std::optional<alca_winsize> newest;
    pollfd entry{fd, POLLIN, 0};
    while (fd >= 0 && ::poll(&entry, 1, 0) > 0) {
        alca_winsize size{};
        // A record is smaller than PIPE_BUF: it arrives whole or not at all.
        const ssize_t count = ::read(fd, &size, sizeof(size));
        if (count < 0 && errno == EINTR) continue;
        if (count != static_cast<ssize_t>(sizeof(size))) break;
        newest = size;
    }
    return newest;
}

Result<PumpEnd> pump(const Call& call, Stream stream, const Stdio& io,
                     const ResizeHandler& on_resize) {
    const SigpipeHeldBack held_back;
    return Pump(call, std::move(stream), io, on_resize).run();
}

}  // namespace alca::engine_http
