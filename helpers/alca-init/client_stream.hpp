#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "bytes.hpp"
#include "frame.hpp"

namespace alca::init {

// The frames that come in on stdin.
class ClientStream {
  public:
    // Reads once; to be called when next() has answered `more`. False: the client is gone.
    [[nodiscard]] bool fill();

    // Views of the event are valid until the next fill().
    [[nodiscard]] Event next() { return parser_.next(rest_); }
    [[nodiscard]] Bytes take_exec() { return parser_.take_exec(); }

  private:
    static constexpr std::size_t kReadBytes = std::size_t{64} << 10;

    std::array<char, kReadBytes> buffer_;
    std::string_view rest_;
    FrameParser parser_;
};

}  // namespace alca::init
