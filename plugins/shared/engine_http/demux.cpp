#include "plugins/shared/engine_http/demux.hpp"

#include <algorithm>

namespace alca::engine_http {

Result<Payload> Demux::next(std::string_view& input) {
    while (!input.empty()) {
        if (left_ > 0) {
            const Payload payload{channel_, input.substr(0, left_)};
            left_ -= static_cast<std::uint32_t>(payload.bytes.size());
            input.remove_prefix(payload.bytes.size());
            return payload;
        }
        head_.at(head_size_++) = static_cast<unsigned char>(input.front());
        input.remove_prefix(1);
        if (head_size_ == kHeadBytes) {
            if (auto read = read_head(); !read) return fail(read.error());
        }
    }
    return Payload{};
}

Result<void> Demux::read_head() {
    head_size_ = 0;
    const bool is_head = head_[0] <= 2 && head_[1] == 0 && head_[2] == 0 && head_[3] == 0;
    if (!is_head) return fail("the engine's stream is broken: no frame where one should start");
    channel_ = head_[0] == 2 ? Channel::err : Channel::out;
    left_ = std::uint32_t{head_[4]} << 24 | std::uint32_t{head_[5]} << 16 |
            std::uint32_t{head_[6]} << 8 | std::uint32_t{head_[7]};
    return {};
}

}  // namespace alca::engine_http
