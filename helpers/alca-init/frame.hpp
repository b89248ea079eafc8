#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "bytes.hpp"

namespace alca::init {

// The stream from the client to `alca-init stub`; docs/reference/run-protocol.md describes it.

inline constexpr std::size_t kFrameHeadBytes = 8;
inline constexpr std::size_t kMaxExecBytes = std::size_t{4} << 20;
inline constexpr std::size_t kMaxDataBytes = std::size_t{64} << 10;

enum class FrameType : std::uint8_t { exec = 1, data = 2, end = 3, signal = 4, window = 5 };

struct WindowSize {
    std::uint16_t rows = 0;
    std::uint16_t columns = 0;
};

// What the stream says next.
struct Event {
    enum class Kind {
        more,    // nothing until more bytes come
        exec,    // the payload waits in take_exec()
        data,    // `bytes` for the command's stdin: a frame or a part of one
        end,     // no more stdin
        signal,  // `signal`, 1..31
        window,  // `window`
        broken,  // the stream breaks the protocol, `reason` says how; nothing after it means
                 // anything
    };
    Kind kind = Kind::more;
    std::string_view bytes;
    int signal = 0;
    WindowSize window;
    const char* reason = nullptr;
};

// Cuts the stream into events and checks sizes, ranges and order. Does no input or output.
class FrameParser {
  public:
    // Takes bytes from the front of `input` and returns one event. Call until it answers `more`.
    [[nodiscard]] Event next(std::string_view& input);

    // The payload of the exec frame, once, after the `exec` event.
    [[nodiscard]] Bytes take_exec();

  private:
    Event read_head(std::string_view& input);
    [[nodiscard]] const char* check_head() const;
    Event read_data(std::string_view& input);
    Event read_payload(std::string_view& input);
    Event finish_payload();
    Event fail(const char* reason);

    Bytes head_;
    Bytes payload_;  // of the frame that is coming in
    Bytes exec_;
    FrameType type_ = FrameType::exec;
    std::size_t left_ = 0;     // bytes of the payload still to come
    bool in_payload_ = false;  // the head is complete
    bool exec_seen_ = false;
    bool end_seen_ = false;
    const char* broken_ = nullptr;
};

}  // namespace alca::init
