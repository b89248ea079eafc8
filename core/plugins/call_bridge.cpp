#include "core/plugins/call_bridge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "alca/detail/progress_json.hpp"

namespace alca::plugins {
namespace {

std::string_view view_of(alca_str text) {
    return text.data == nullptr ? std::string_view() : std::string_view(text.data, text.len);
}

std::string one_line(std::string_view text) {
    std::string line(text.substr(0, kMaxLineBytes));
    for (std::size_t i = 0; i < line.size(); ++i) {
        const auto byte = static_cast<unsigned char>(line[i]);
        if (byte < 0x20 || byte == 0x7f) line[i] = ' ';
        // U+0080 to U+009F are control characters as well.
        if (byte == 0xc2 && i + 1 < line.size() && static_cast<unsigned char>(line[i + 1]) < 0xa0) {
            line[i] = line[i + 1] = ' ';
        }
    }
    return line;
}

CallBridge& bridge_of(const alca_call* call) { return *static_cast<CallBridge*>(call->host); }

}  // namespace

CallBridge::CallBridge(const Call& call, std::string_view plugin_id)
    : call_(call), plugin_id_(plugin_id), abi_{sizeof(alca_call),       this,
                                               call.cancel_fd(),        &CallBridge::on_reply,
                                               &CallBridge::on_fail,    &CallBridge::on_log,
                                               &CallBridge::on_progress} {}

CallBridge::Answer CallBridge::take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(answer_, {});
}

void CallBridge::on_reply(const alca_call* call, alca_str json) noexcept {
    CallBridge& bridge = bridge_of(call);
    const std::lock_guard lock(bridge.mutex_);
    bridge.answer_.is_too_large = json.len > kMaxReplyBytes;
    if (bridge.answer_.is_too_large) {
        bridge.answer_.reply.reset();
    } else {
        bridge.answer_.reply = view_of(json);
    }
}

void CallBridge::on_fail(const alca_call* call, alca_str message) noexcept {
    CallBridge& bridge = bridge_of(call);
    const std::lock_guard lock(bridge.mutex_);
    bridge.answer_.message = one_line(view_of(message));
}

void CallBridge::on_log(const alca_call* call, std::int32_t level, alca_str line) noexcept {
    CallBridge& bridge = bridge_of(call);
    const auto known = static_cast<LogLevel>(std::clamp(level, ALCA_DEBUG + 0, ALCA_ERROR + 0));
    bridge.call_.log(known, fmt::format("{}: {}", bridge.plugin_id_, one_line(view_of(line))));
}

void CallBridge::on_progress(const alca_call* call, alca_str json) noexcept {
    CallBridge& bridge = bridge_of(call);
    auto progress = parse_object(view_of(json)).and_then(progress_from_json);
    if (!progress) {
        bridge.call_.log(LogLevel::debug, fmt::format("{}: progress: {}", bridge.plugin_id_,
                                                      progress.error().message));
        return;
    }
    progress->step = one_line(progress->step);
    progress->unit = one_line(progress->unit);
    bridge.call_.progress(*progress);
}

}  // namespace alca::plugins
