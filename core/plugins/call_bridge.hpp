// core/plugins/call_bridge.hpp - the host's side of one call into a plugin.
#ifndef ALCA_CORE_PLUGINS_CALL_BRIDGE_HPP
#define ALCA_CORE_PLUGINS_CALL_BRIDGE_HPP

#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "alca/call.hpp"
#include "alca/plugin.h"

namespace alca::plugins {

inline constexpr std::size_t kMaxReplyBytes = std::size_t{16} * 1024 * 1024;
inline constexpr std::size_t kMaxLineBytes = 4096;

// An alca_call that passes log and progress on to `call` and keeps reply and error message. Lines
// from the plugin may carry bytes that a sandbox chose: control characters become blanks, so that
// none reaches the user's terminal.
class CallBridge {
  public:
    // Borrows both for its life.
    CallBridge(const Call& call, std::string_view plugin_id);
    CallBridge(const CallBridge&) = delete;
    CallBridge& operator=(const CallBridge&) = delete;

    [[nodiscard]] const alca_call* abi() const { return &abi_; }

    struct Answer {
        std::optional<std::string> reply;  // the last one
        std::string message;               // of the last fail, one line; "" when there was none
        bool is_too_large = false;         // a reply exceeded kMaxReplyBytes and was dropped
    };
    // After the plugin's function has returned.
    [[nodiscard]] Answer take();

  private:
    static void on_reply(const alca_call* call, alca_str json) noexcept;
    static void on_fail(const alca_call* call, alca_str message) noexcept;
    static void on_log(const alca_call* call, std::int32_t level, alca_str line) noexcept;
    static void on_progress(const alca_call* call, alca_str json) noexcept;

    const Call& call_;
    std::string_view plugin_id_;
    alca_call abi_;
    std::mutex mutex_;  // a plugin may call from any thread
    Answer answer_;
};

}  // namespace alca::plugins

#endif
