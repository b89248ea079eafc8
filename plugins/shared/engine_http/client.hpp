// plugins/shared/engine_http/client.hpp - HTTP/1.1 with a container engine over its unix socket.
//
// One connection is kept and used again. Requests follow one another; a stream that `upgrade`
// opens has a connection of its own.
#ifndef ALCA_PLUGINS_SHARED_ENGINE_HTTP_CLIENT_HPP
#define ALCA_PLUGINS_SHARED_ENGINE_HTTP_CLIENT_HPP

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alca/call.hpp"
#include "alca/result.hpp"
#include "plugins/shared/engine_http/answer_parser.hpp"
#include "plugins/shared/engine_http/endpoint.hpp"
#include "plugins/shared/engine_http/socket.hpp"

namespace alca::engine_http {

struct Timeouts {
    std::chrono::milliseconds connect{5'000};
    // From a GET to the end of its answer: an engine that lives answers in milliseconds.
    std::chrono::milliseconds look{20'000};
    // The same for a request that does something. Starting a container on a loaded machine is slow.
    std::chrono::milliseconds answer{120'000};
    // Between two pieces of a body that comes in pieces, such as the progress of a pull.
    std::chrono::milliseconds silence{300'000};
    // After a cancel, for the answer to a request that has `finish`.
    std::chrono::milliseconds finish{10'000};
};

struct Request {
    std::string method;
    std::string target;  // path and query, escaped
    std::string body;    // "" = none
    std::vector<std::pair<std::string, std::string>> headers = {};
    // Once sent, its answer is waited for also after a cancel: an engine goes on making what it was
    // asked for, and a clean-up that comes earlier would not see it.
    bool finish = false;
    const char* content_type = "application/json";  // of the body
};

// A connection on which both sides now speak freely.
struct Stream {
    Socket socket;
    std::string received;  // what came with the head of the answer
    Response response;     // without body
};

// Errors of all requests: unavailable (no engine, connection lost, no answer in time), denied (no
// right to connect), cancelled (within 200 ms of the call's cancel_fd), failed (not HTTP, or an
// answer larger than 16 MiB). Messages name the request and the endpoint. Any HTTP status is a
// success here. Each request is logged at debug level, without headers and bodies.
class Client {
  public:
    explicit Client(Endpoint endpoint, Timeouts timeouts = {});

    [[nodiscard]] Result<Response> request(const Call& call, const Request& request);
    // As request, but hands the body of a 2xx answer to `sink` piece by piece, without a limit of
    // size. Other answers arrive as from request.
    [[nodiscard]] Result<Response> request(const Call& call, const Request& request,
                                           const BodySink& sink);
    // Asks for a raw stream. Status 101 or 200: it is open. Otherwise the response has the
    // engine's reason, and the stream is of no use.
    [[nodiscard]] Result<Stream> upgrade(const Call& call, const Request& request);

    [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }

  private:
    [[nodiscard]] Result<Socket> connect(const Call& call) const;
    [[nodiscard]] Result<Response> send(const Call& call, const Request& request,
                                        const BodySink* sink);
    [[nodiscard]] Error explain(Error error, const Request& request) const;

    Endpoint endpoint_;
    Timeouts timeouts_;
    std::optional<Socket> idle_;  // from the last request, to be used again
};

// `text` as one segment of a path or as a value in a query.
[[nodiscard]] std::string url_escape(std::string_view text);

}  // namespace alca::engine_http

#endif
