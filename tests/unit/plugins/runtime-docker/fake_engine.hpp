// A unix socket that plays a script of HTTP answers, byte for byte.
#ifndef ALCA_TESTS_UNIT_PLUGINS_RUNTIME_DOCKER_FAKE_ENGINE_HPP
#define ALCA_TESTS_UNIT_PLUGINS_RUNTIME_DOCKER_FAKE_ENGINE_HPP

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "plugins/shared/engine_http/endpoint.hpp"
#include "plugins/shared/engine_http/fd.hpp"

namespace alca::test {

// What to do with one request.
struct Step {
    enum class After { keep, close, hang };
    std::string answer;                     // sent as it is
    After after = After::keep;              // hang: until the engine is destroyed
    std::size_t piece = std::string::npos;  // bytes per write
    std::chrono::milliseconds pause{0};     // before the answer
    std::string echo_until = {};  // not empty: before closing, return what arrives, up to this
};

[[nodiscard]] std::string http(int status, std::string_view body, std::string_view headers = "");
[[nodiscard]] std::string chunked(std::string_view body, std::size_t chunk);
// The answer to /_ping of an engine that speaks up to `api`.
[[nodiscard]] std::string ping(std::string_view api, std::string_view headers = "");

// Answers each request with the next step; when the script is at its end it closes the connection.
// Each connection is served by itself; the script is one for all.
class FakeEngine {
  public:
    explicit FakeEngine(std::vector<Step> script);
    ~FakeEngine();
    FakeEngine(const FakeEngine&) = delete;
    FakeEngine& operator=(const FakeEngine&) = delete;

    [[nodiscard]] engine_http::Endpoint endpoint() const;
    // Head and body of each request so far.
    [[nodiscard]] std::vector<std::string> requests() const;
    [[nodiscard]] std::size_t connections() const;

  private:
    void serve(const std::stop_token& stop);
    void serve_connection(int fd, const std::stop_token& stop);
    // Remembers the request; the step to answer it with, nullptr at the end of the script.
    [[nodiscard]] const Step* next_step(std::string request);
    [[nodiscard]] std::string read_request(int fd, std::string& rest) const;

    std::filesystem::path directory_;
    std::vector<Step> script_;
    mutable std::mutex mutex_;  // of the three below
    std::size_t next_ = 0;
    std::vector<std::string> requests_;
    std::size_t connections_ = 0;
    engine_http::Fd listener_;
    engine_http::Fd wake_read_;
    engine_http::Fd wake_write_;
    std::jthread thread_;
};

}  // namespace alca::test

#endif
