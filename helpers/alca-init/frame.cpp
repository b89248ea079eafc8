#include "frame.hpp"

#include <algorithm>
#include <utility>

#include "little_endian.hpp"

namespace alca::init {
namespace {

constexpr std::uint32_t kHighestSignal =
    31;  // real-time signals have no meaning between two systems
constexpr std::size_t kSignalBytes = 4;
constexpr std::size_t kWindowBytes = 4;

// Moves up to `count` bytes from the front of `input` to `out`. False: out of memory.
bool take(std::string_view& input, std::size_t count, Bytes& out) {
    const std::string_view part = input.substr(0, count);
    input.remove_prefix(part.size());
    return out.append(part);
}

}  // namespace

Event FrameParser::next(std::string_view& input) {
    if (broken_ != nullptr) return fail(broken_);
    if (!in_payload_) {
        const Event event = read_head(input);
        if (!in_payload_) return event;
    }
    return type_ == FrameType::data ? read_data(input) : read_payload(input);
}

Bytes FrameParser::take_exec() { return std::exchange(exec_, Bytes()); }

Event FrameParser::read_head(std::string_view& input) {
    if (!take(input, kFrameHeadBytes - head_.size(), head_)) return fail("out of memory");
    if (head_.size() < kFrameHeadBytes) return {};
    type_ = static_cast<FrameType>(head_.view()[0]);
    left_ = read_little_endian<std::uint32_t>(head_.view().substr(4));
    if (const char* reason = check_head()) return fail(reason);
    head_.consume(head_.size());
    in_payload_ = true;
    return {};
}

// What is wrong with the head; nullptr when nothing is.
const char* FrameParser::check_head() const {
    const std::string_view reserved = head_.view().substr(1, 3);
    if (reserved != std::string_view("\0\0\0", 3)) return "reserved bytes of a frame are not zero";
    if (!exec_seen_ && type_ != FrameType::exec) return "the first frame is not exec";
    switch (type_) {
        case FrameType::exec:
            if (exec_seen_) return "second exec frame";
            return left_ <= kMaxExecBytes ? nullptr : "exec frame is larger than 4 MiB";
        case FrameType::data:
            if (end_seen_) return "stdin data after its end";
            return left_ <= kMaxDataBytes ? nullptr : "stdin frame is larger than 64 KiB";
        case FrameType::end:
            if (end_seen_) return "second end of stdin";
            return left_ == 0 ? nullptr : "end frame has a payload";
        case FrameType::signal:
            return left_ == kSignalBytes ? nullptr : "signal frame has a wrong size";
        case FrameType::window:
            return left_ == kWindowBytes ? nullptr : "window frame has a wrong size";
    }
    return "unknown frame type";
}

// Data is passed on as it comes, so that nothing waits for the rest of a frame.
Event FrameParser::read_data(std::string_view& input) {
    const std::string_view part = input.substr(0, left_);
    input.remove_prefix(part.size());
    left_ -= part.size();
    if (left_ == 0) in_payload_ = false;
    if (part.empty() && in_payload_) return {};
    return {.kind = Event::Kind::data, .bytes = part, .signal = 0, .window = {}, .reason = nullptr};
}

Event FrameParser::read_payload(std::string_view& input) {
    const std::size_t count = std::min(left_, input.size());
    if (!take(input, count, payload_)) return fail("out of memory");
    left_ -= count;
    if (left_ > 0) return {};
    in_payload_ = false;
    return finish_payload();
}

Event FrameParser::finish_payload() {
    Event event;
    Bytes payload = std::exchange(payload_, Bytes());
    if (type_ == FrameType::exec) {
        exec_seen_ = true;
        exec_ = std::move(payload);
        event.kind = Event::Kind::exec;
        return event;
    }
    if (type_ == FrameType::end) {
        end_seen_ = true;
        event.kind = Event::Kind::end;
    } else if (type_ == FrameType::signal) {
        const auto number = read_little_endian<std::uint32_t>(payload.view());
        if (number == 0 || number > kHighestSignal) return fail("signal is not in 1..31");
        event.kind = Event::Kind::signal;
        event.signal = static_cast<int>(number);
    } else {
        event.kind = Event::Kind::window;
        event.window.rows = read_little_endian<std::uint16_t>(payload.view());
        event.window.columns = read_little_endian<std::uint16_t>(payload.view().substr(2));
    }
    return event;
}

Event FrameParser::fail(const char* reason) {
    broken_ = reason;
    Event event;
    event.kind = Event::Kind::broken;
    event.reason = reason;
    return event;
}

}  // namespace alca::init
