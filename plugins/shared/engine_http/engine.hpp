// plugins/shared/engine_http/engine.hpp - the Docker Engine API: version negotiation, JSON bodies,
// errors in the engine's own words.
#ifndef ALCA_PLUGINS_SHARED_ENGINE_HTTP_ENGINE_HPP
#define ALCA_PLUGINS_SHARED_ENGINE_HTTP_ENGINE_HPP

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "alca/json.hpp"
#include "plugins/shared/engine_http/client.hpp"

namespace alca::engine_http {

// "1.41". Ordered by number, not by text.
struct ApiVersion {
    int major = 0;
    int minor = 0;
    [[nodiscard]] static std::optional<ApiVersion> parse(std::string_view text);
    [[nodiscard]] std::string text() const;
    friend auto operator<=>(const ApiVersion&, const ApiVersion&) = default;
};

// What we can speak. Older engines (before Docker 20.10) lack what isolation needs; what newer ones
// changed after the upper end has not been read and tested.
inline constexpr ApiVersion kOldestApi{1, 41};
inline constexpr ApiVersion kNewestApi{1, 47};

// What GET /_ping tells.
struct Server {
    ApiVersion api;       // in use: the lower of ours and the engine's
    std::string version;  // of the engine, "20.10.24"; "" when it does not tell
    bool is_podman = false;
};

// An answer of the engine, also one that says no.
struct Reply {
    unsigned status = 0;
    Json json;            // null when the body was no JSON
    std::string message;  // why, when status >= 400

    // 304 (it is so already) is a success.
    [[nodiscard]] bool is_ok() const { return status < 400; }
    // "ACTION: MESSAGE (HTTP 409)". Codes by status: 400 invalid, 404 not_found, 501 unsupported,
    // 503 unavailable, others failed.
    [[nodiscard]] Error error(std::string_view action) const;
};

// Errors besides those of Client: unavailable (the engine's API is older or newer than what we
// speak; it names both). Paths start after the version: "/containers/json".
class Engine {
  public:
    explicit Engine(Endpoint endpoint, Timeouts timeouts = {});

    // Asks once per object; later calls answer from memory.
    [[nodiscard]] Result<Server> negotiate(const Call& call);
    [[nodiscard]] Result<Reply> get(const Call& call, std::string_view path);
    [[nodiscard]] Result<Reply> post(const Call& call, std::string_view path,
                                     const Json& body = nullptr);
    // POST that makes something, see Request::finish. After a cancel the reply may still be a
    // success: the thing is there.
    [[nodiscard]] Result<Reply> make(const Call& call, std::string_view path, const Json& body);
    // POST of a tar file.
    [[nodiscard]] Result<Reply> upload(const Call& call, std::string_view path,
                                       std::string archive);
    [[nodiscard]] Result<Reply> remove(const Call& call, std::string_view path);
    // POST whose 2xx body comes piece by piece. headers: never logged.
    [[nodiscard]] Result<Reply> post(const Call& call, std::string_view path,
                                     std::vector<std::pair<std::string, std::string>> headers,
                                     const BodySink& sink);
    // POST that opens a stream. When the engine refuses, the error has its reason.
    [[nodiscard]] Result<Stream> upgrade(const Call& call, std::string_view path, const Json& body,
                                         std::string_view action);

    [[nodiscard]] const Endpoint& endpoint() const { return client_.endpoint(); }

  private:
    // The version is put before the target.
    [[nodiscard]] Result<Reply> send(const Call& call, Request request, const BodySink* sink);
    [[nodiscard]] Result<void> check_minimum(const Call& call, ApiVersion ours);

    Client client_;
    std::optional<Server> server_;
    bool minimum_checked_ = false;
};

}  // namespace alca::engine_http

#endif
