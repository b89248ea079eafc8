#include "plugins/shared/engine_http/client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/optional.hpp>
#include <cctype>
#include <cstdint>
#include <limits>
#include <utility>

// Beast is used as a parser only: bytes come from our own socket, because its waits must end when
// the user cancels. No other file includes Beast; it costs seconds to compile.

namespace alca::engine_http {

namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;

constexpr std::size_t kMaxCollectedBytes = std::size_t{16} << 20;
constexpr std::uint32_t kMaxHeadBytes = 64U << 10;
constexpr std::size_t kReadBytes = 64U << 10;

bool is_success(unsigned status) { return status >= 200 && status < 300; }

// Where the bytes of a body go: to a sink if there is one and the status is 2xx, else into text.
struct BodyTarget {
    const BodySink* sink = nullptr;
    std::string text;
    std::optional<Error> error;
};

struct TargetBody {
    using value_type = BodyTarget;

    class reader {  // NOLINT(readability-identifier-naming): Beast looks for this name
      public:
        template <bool IsRequest, class Fields>
        reader(http::header<IsRequest, Fields>& head, value_type& target)
            : target_(target), status_of_([&head] { return head.result_int(); }) {}

        void init(const boost::optional<std::uint64_t>& /*length*/, error_code& error) {
            error = {};
        }

        template <class Buffers>
        std::size_t put(const Buffers& buffers, error_code& error) {
            std::size_t size = 0;
            for (auto it = boost::asio::buffer_sequence_begin(buffers);
                 it != boost::asio::buffer_sequence_end(buffers); ++it) {
                const boost::asio::const_buffer buffer = *it;
                take({static_cast<const char*>(buffer.data()), buffer.size()});
                size += buffer.size();
            }
            if (target_.error) error = http::make_error_code(http::error::body_limit);
            return size;
        }

        void finish(error_code& error) { error = {}; }

      private:
        void take(std::string_view piece) {
            if (target_.error) return;
            if (target_.sink != nullptr && is_success(status_of_())) {
                if (auto taken = (*target_.sink)(piece); !taken) target_.error = taken.error();
            } else if (target_.text.size() + piece.size() > kMaxCollectedBytes) {
                target_.error = Error{Code::failed, "the engine's answer is larger than 16 MiB"};
            } else {
                target_.text.append(piece);
            }
        }

        value_type& target_;
        std::function<unsigned()> status_of_;
    };
};

using Parser = http::response_parser<TargetBody>;

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
}

Response response_of(Parser& parser) {
    Response response;
    response.status = parser.get().result_int();
    for (const auto& field : parser.get()) {
        const auto name = field.name_string();
        const auto value = field.value();
        response.headers.insert_or_assign(lower({name.data(), name.size()}),
                                          std::string(value.data(), value.size()));
    }
    response.body = std::move(parser.get().body().text);
    return response;
}

Result<std::string> head_of(const Request& request, bool upgrade) {
    const auto is_unsafe = [](unsigned char c) { return c <= ' ' || c == 0x7f; };
    if (std::any_of(request.target.begin(), request.target.end(), is_unsafe)) {
        return fail(Code::invalid, "blank or control character in the path of a request");
    }
    std::string head = fmt::format("{} {} HTTP/1.1\r\nHost: engine\r\nUser-Agent: alca\r\n",
                                   request.method, request.target);
    for (const auto& [name, value] : request.headers) {
        if (std::any_of(value.begin(), value.end(), is_unsafe)) {
            return fail(Code::invalid, "blank or control character in header " + name);
        }
        head += fmt::format("{}: {}\r\n", name, value);
    }
    if (upgrade) head += "Connection: Upgrade\r\nUpgrade: tcp\r\n";
    if (!request.body.empty()) head += fmt::format("Content-Type: {}\r\n", request.content_type);
    if (request.method != "GET") head += fmt::format("Content-Length: {}\r\n", request.body.size());
    return head + "\r\n";
}

std::string_view advice_for(Code code) {
    switch (code) {
        case Code::denied:
            return "; join the group that owns the socket (sudo usermod -aG docker $USER), then "
                   "log in again";
        case Code::invalid:
            return "";
        default:
            return "; start the engine (sudo systemctl start docker), or name another with "
                   "DOCKER_HOST";
    }
}

// Reads one answer from a socket.
class Reader {
  public:
    Reader(const Call& call, const Socket& socket, const Timeouts& timeouts, const BodySink* sink,
           bool finish = false)
        : call_(call),
          socket_(socket),
          timeouts_(timeouts),
          wait_(call, timeouts.answer),
          finish_(finish) {
        parser_.header_limit(kMaxHeadBytes);
        // BodyTarget has the limit. (Boost 1.74 takes boost::none for 0.)
        parser_.body_limit(std::numeric_limits<std::uint64_t>::max());
        parser_.get().body().sink = sink;
        has_sink_ = sink != nullptr;
    }

    [[nodiscard]] Result<void> read_head() {
        return read_until([this] { return parser_.is_header_done(); });
    }
    [[nodiscard]] Result<void> read_body() {
        parser_.eager(true);
        return read_until([this] { return parser_.is_done(); });
    }

    // The connection is at the start of the next answer.
    [[nodiscard]] bool may_reuse() const { return parser_.keep_alive() && pending_.empty(); }
    [[nodiscard]] bool has_received() const { return has_received_; }
    [[nodiscard]] Parser& parser() { return parser_; }
    [[nodiscard]] std::string take_rest() { return std::move(pending_); }

  private:
    template <class Done>
    [[nodiscard]] Result<void> read_until(const Done& done) {
        while (!done()) {
            error_code error = http::make_error_code(http::error::need_more);
            if (!pending_.empty()) {
                const std::size_t used =
                    parser_.put(boost::asio::const_buffer(pending_.data(), pending_.size()), error);
                pending_.erase(0, used);
            }
            if (const auto& refused = parser_.get().body().error; refused) return fail(*refused);
            if (error == http::error::need_more) {
                if (auto more = receive(); !more) return fail(more.error());
            } else if (error) {
                return fail("the engine's answer is not valid HTTP: " + error.message());
            }
        }
        return {};
    }

    [[nodiscard]] Result<void> receive() {
        if (has_sink_ && parser_.is_header_done()) wait_ = Wait(call_, timeouts_.silence);
        auto count = socket_.read_some(chunk_, wait_);
        if (!count && count.error().code == Code::cancelled && std::exchange(finish_, false)) {
            const Error cancelled = count.error();
            wait_ = Wait(timeouts_.finish);
            count = socket_.read_some(chunk_, wait_);
            if (!count) return fail(cancelled);
        }
        if (!count) return fail(count.error());
        if (*count > 0) {
            has_received_ = true;
            pending_.append(chunk_.data(), *count);
            return {};
        }
        // The end of the connection may be the proper end of a body without length.
        error_code error;
        if (parser_.is_header_done() && !parser_.is_done()) parser_.put_eof(error);
        if (parser_.is_done() && !error) return {};
        return fail(Code::unavailable, "the connection was lost before the answer was complete");
    }

    const Call& call_;
    const Socket& socket_;
    const Timeouts& timeouts_;
    Wait wait_;
    Parser parser_;
    std::string pending_;  // received, not yet parsed
    std::vector<char> chunk_ = std::vector<char>(kReadBytes);
    bool finish_;  // not yet used up by a cancel
    bool has_sink_ = false;
    bool has_received_ = false;
};

// One line per request, when it ends.
class RequestLog {
  public:
    RequestLog(const Call& call, const Request& request) : call_(call), request_(request) {}

    void end(const Result<Response>& result) const { end(result ? result->status : 0); }
    void end(unsigned status) const {
        const auto spent = std::chrono::steady_clock::now() - start_;
        call_.log(LogLevel::debug,
                  fmt::format("engine: {} {} -> {} in {:.1f} ms", request_.method, request_.target,
                              status == 0 ? "no answer" : std::to_string(status),
                              std::chrono::duration<double, std::milli>(spent).count()));
    }

  private:
    const Call& call_;
    const Request& request_;
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace

Client::Client(Endpoint endpoint, Timeouts timeouts)
    : endpoint_(std::move(endpoint)), timeouts_(timeouts) {}

Result<Socket> Client::connect(const Call& call) const {
    auto socket = Socket::connect(endpoint_.socket_path, Wait(call, timeouts_.connect));
    if (socket || socket.error().code == Code::cancelled) return socket;
    const Error& error = socket.error();
    return fail(error.code, fmt::format("cannot connect to {}: {}{}", endpoint_.describe(),
                                        error.message, advice_for(error.code)));
}

Error Client::explain(Error error, const Request& request) const {
    if (error.code == Code::cancelled) return error;
    const std::string_view path = request.target;
    error.message = fmt::format("{} {} at {}: {}", request.method, path.substr(0, path.find('?')),
                                endpoint_.describe(), error.message);
    return error;
}

Result<Response> Client::request(const Call& call, const Request& request) {
    const RequestLog log(call, request);
    auto result = send(call, request, nullptr);
    log.end(result);
    return result;
}

Result<Response> Client::request(const Call& call, const Request& request, const BodySink& sink) {
    const RequestLog log(call, request);
    auto result = send(call, request, &sink);
    log.end(result);
    return result;
}

Result<Response> Client::send(const Call& call, const Request& request, const BodySink* sink) {
    auto head = head_of(request, false);
    if (!head) return fail(explain(head.error(), request));
    const std::string bytes = *head + request.body;
    if (idle_ && idle_->is_stale()) idle_.reset();
    while (true) {
        const bool is_reused = idle_.has_value();
        auto socket = is_reused ? Result<Socket>(std::move(*idle_)) : connect(call);
        idle_.reset();
        if (!socket) return fail(socket.error());

        Timeouts timeouts = timeouts_;
        if (request.method == "GET") timeouts.answer = timeouts_.look;
        Reader reader(call, *socket, timeouts, sink, request.finish);
        auto done = socket->write_all(bytes, Wait(call, timeouts.answer));
        if (done) done = reader.read_head();
        if (done) done = reader.read_body();
        if (done) {
            if (reader.may_reuse()) idle_ = std::move(*socket);
            return response_of(reader.parser());
        }
        // An engine may close an idle connection just as we use it. What only reads is repeated.
        const bool may_repeat = is_reused && !reader.has_received() && request.method == "GET" &&
                                done.error().code == Code::unavailable;
        if (!may_repeat) return fail(explain(done.error(), request));
    }
}

Result<Stream> Client::upgrade(const Call& call, const Request& request) {
    const RequestLog log(call, request);
    auto head = head_of(request, true);
    if (!head) return fail(explain(head.error(), request));
    auto socket = connect(call);
    if (!socket) {
        log.end(0);
        return fail(socket.error());
    }
    Reader reader(call, *socket, timeouts_, nullptr);
    auto done = socket->write_all(*head + request.body, Wait(call, timeouts_.answer));
    if (done) done = reader.read_head();
    const unsigned status = done ? reader.parser().get().result_int() : 0;
    const bool is_open = status == 101 || status == 200;
    if (done && !is_open) done = reader.read_body();
    log.end(status);
    if (!done) return fail(explain(done.error(), request));
    Response response = response_of(reader.parser());
    return Stream{std::move(*socket), is_open ? reader.take_rest() : std::string(),
                  std::move(response)};
}

std::string url_escape(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (std::isalnum(byte) != 0 || std::string_view("-._~").find(c) != std::string_view::npos) {
            out += c;
        } else {
            out += fmt::format("%{:02X}", byte);
        }
    }
    return out;
}

}  // namespace alca::engine_http
