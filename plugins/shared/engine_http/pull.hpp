// plugins/shared/engine_http/pull.hpp - images: look up, pull with progress.
#ifndef ALCA_PLUGINS_SHARED_ENGINE_HTTP_PULL_HPP
#define ALCA_PLUGINS_SHARED_ENGINE_HTTP_PULL_HPP

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "alca/runtime.hpp"
#include "plugins/shared/engine_http/engine.hpp"

namespace alca::engine_http {

// Sums the bytes of all layers of one pull and tells the caller, at most ten times a second.
class PullProgress {
  public:
    PullProgress(const Call& call, std::string_view image);

    // One object of the stream. Errors: failed, with the engine's words, when it reports one.
    [[nodiscard]] Result<void> take(const Json& event);
    void finish();

  private:
    struct Layer {
        std::uint64_t done = 0;
        std::uint64_t total = 0;
    };
    void report(bool finished);

    const Call& call_;
    std::string step_;
    std::map<std::string, Layer> layers_;
    std::chrono::steady_clock::time_point last_report_{};
};

// The image in the engine; it is pulled when absent. Credentials come from docker's own files.
// Errors: invalid (no valid image name), not_found (no registry has it), failed (the pull), and
// the engine's.
[[nodiscard]] Result<PreparedImage> ensure_image(Engine& engine, const Call& call,
                                                 const std::string& image,
                                                 const Environment& environment);

}  // namespace alca::engine_http

#endif
