#include "plugins/shared/engine_http/client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

namespace alca::engine_http {

namespace {

constexpr std::size_t kReadBytes = 64U << 10;

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
          parser_(sink),
          finish_(finish),
          has_sink_(sink != nullptr) {}

    [[nodiscard]] Result<void> read_head() {
        return read_until([this] { return parser_.read_head(); });
    }
    [[nodiscard]] Result<void> read_body() {
        return read_until([this] { return parser_.read_body(); });
    }
    [[nodiscard]] bool has_received() const { return has_received_; }
    [[nodiscard]] AnswerParser& parser() { return parser_; }

  private:
    // read: answers false as long as it needs more.
    template <class Read>
    [[nodiscard]] Result<void> read_until(const Read& read) {
        while (true) {
            const auto is_read = read();
            if (!is_read) return fail(is_read.error());
            if (*is_read) return {};
            const auto count = receive();
            if (!count) return fail(count.error());
            if (*count > 0) continue;
            if (parser_.may_end_here()) return {};
            return fail(Code::unavailable,
                        "the connection was lost before the answer was complete");
        }
    }

    // 0: the end of the connection.
    [[nodiscard]] Result<std::size_t> receive() {
        if (has_sink_ && parser_.has_head()) wait_ = Wait(call_, timeouts_.silence);
        auto count = socket_.read_some(chunk_, wait_);
        if (!count && count.error().code == Code::cancelled && std::exchange(finish_, false)) {
            const Error cancelled = count.error();
            wait_ = Wait(timeouts_.finish);
            count = socket_.read_some(chunk_, wait_);
            if (!count) return fail(cancelled);
        }
        if (!count || *count == 0) return count;
        has_received_ = true;
        parser_.add({chunk_.data(), *count});
        return count;
    }

    const Call& call_;
    const Socket& socket_;
    const Timeouts& timeouts_;
    Wait wait_;
    AnswerParser parser_;
    std::vector<char> chunk_ = std::vector<char>(kReadBytes);
    bool finish_;  // not yet used up by a cancel
    bool has_sink_;
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
            if (reader.parser().may_reuse()) idle_ = std::move(*socket);
            return reader.parser().take_response();
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
    const unsigned status = done ? reader.parser().status() : 0;
    const bool is_open = status == 101 || status == 200;
    if (done && !is_open) done = reader.read_body();
    log.end(status);
    if (!done) return fail(explain(done.error(), request));
    Response response = reader.parser().take_response();
    return Stream{std::move(*socket), is_open ? reader.parser().take_rest() : std::string(),
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
