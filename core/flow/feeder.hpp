// core/flow/feeder.hpp - what a running command is sent: its input, signals and window sizes.
#ifndef ALCA_CORE_FLOW_FEEDER_HPP
#define ALCA_CORE_FLOW_FEEDER_HPP

#include <array>
#include <string>
#include <string_view>

#include "core/flow/exec_inside.hpp"
#include "core/flow/frames.hpp"
#include "core/os/fd.hpp"

namespace alca::flow {

// Writes frames for input, signals and window sizes to the stub. Runs in a thread of its own beside
// what takes the command's output, until stop is readable or the other end has closed.
class Feeder {
  public:
    // carrier: the pipe that an engine reads, or the socket; does not block. Given up at the end,
    // which tells the stub that the client is gone.
    // give_up_fd: an eventfd, raised when the user insists and the command still does not end.
    Feeder(const CommandIo& io, bool tty, os::Fd carrier, int stop_fd, int give_up_fd)
        : io_(io),
          tty_(tty),
          carrier_(std::move(carrier)),
          stop_fd_(stop_fd),
          give_up_fd_(give_up_fd) {}

    void run(const std::string& first_frame) noexcept;

  private:
    void wait_for_the_end();
    void feed(const std::string& first_frame);
    [[nodiscard]] bool forward_signals();
    [[nodiscard]] bool forward_input(bool& input_open);
    [[nodiscard]] bool send(std::string_view data);

    const CommandIo& io_;
    bool tty_;
    os::Fd carrier_;
    int stop_fd_;
    int give_up_fd_;
    int insisted_ = 0;
    std::array<char, kMaxInputFrameBytes> buffer_{};
};

}  // namespace alca::flow

#endif
