#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

#include "bytes.hpp"
#include "children.hpp"
#include "client_stream.hpp"
#include "command.hpp"
#include "fd.hpp"

namespace alca::init {

// Moves bytes and signals between the client and a running command until one of them ends. Polls
// everything and waits for nothing else, so that input can never hold up output.
class Session {
  public:
    // client: borrowed for the session's life. signals: a signalfd for SIGCHLD.
    Session(ClientStream& client, Command command, Fd signals)
        : client_(client), command_(std::move(command)), signals_(std::move(signals)) {}

    // Returns the exit code for the client.
    [[nodiscard]] int run();

  private:
    enum class Outcome { running, ended, client_gone, broken };

    Outcome handle_events();
    Outcome handle_event(const Event& event);
    Outcome break_off(const char* reason);
    Outcome wait();
    Outcome check_children();
    [[nodiscard]] bool has_terminal() const { return command_.terminal.is_open(); }
    [[nodiscard]] bool may_read_client(Milliseconds time) const;
    [[nodiscard]] int poll_timeout_ms(Milliseconds time) const;
    [[nodiscard]] bool feed(std::string_view bytes);
    [[nodiscard]] bool end_input();
    std::size_t write_input(std::string_view bytes);
    void flush_input();
    void deliver(int signal) const;
    bool read_terminal();
    bool write_output();
    bool wait_for_output();
    void drain_terminal();

    ClientStream& client_;
    Command command_;
    Fd signals_;
    Bytes queue_;                  // stdin that the command has not taken yet
    Milliseconds next_read_{0};    // when the client may be read again though the queue is long
    bool is_input_ended_ = false;  // the queue is the last there is
    int exit_code_ = 0;
    std::array<char, 4096>
        chunk_;                // PIPE_BUF: a pipe that polls as writable takes it without blocking
    std::string_view output_;  // the part of `chunk_` that the client has not taken yet
};

}  // namespace alca::init
