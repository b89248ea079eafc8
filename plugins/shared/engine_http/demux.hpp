// plugins/shared/engine_http/demux.hpp - an engine's stream of standard output and error in one.
#ifndef ALCA_PLUGINS_SHARED_ENGINE_HTTP_DEMUX_HPP
#define ALCA_PLUGINS_SHARED_ENGINE_HTTP_DEMUX_HPP

#include <array>
#include <cstdint>
#include <string_view>

#include "alca/result.hpp"

namespace alca::engine_http {

enum class Channel : std::uint8_t { out = 1, err = 2 };

// A piece of what the command wrote.
struct Payload {
    Channel channel = Channel::out;
    std::string_view bytes;  // into what was passed to next()
};

// Takes apart frames of [channel, 0, 0, 0, size as 32 bits big-endian, bytes], which may arrive in
// pieces of any size. Copies nothing.
class Demux {
  public:
    // Removes the next payload from the front of `input`. An empty one: all input is used up.
    // Errors: failed (a head that is none: this is no multiplexed stream).
    [[nodiscard]] Result<Payload> next(std::string_view& input);
    // The stream may end here; false in the middle of a frame.
    [[nodiscard]] bool is_between_frames() const { return head_size_ == 0 && left_ == 0; }

  private:
    [[nodiscard]] Result<void> read_head();

    static constexpr std::size_t kHeadBytes = 8;
    std::array<unsigned char, kHeadBytes> head_{};
    std::size_t head_size_ = 0;  // bytes of head_ that are there
    std::uint32_t left_ = 0;     // of the current payload
    Channel channel_ = Channel::out;
};

}  // namespace alca::engine_http

#endif
