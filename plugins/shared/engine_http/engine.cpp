#include "plugins/shared/engine_http/engine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace alca::engine_http {

namespace {

constexpr std::size_t kMaxMessageBytes = 2000;

// One line, without control characters: the text is the engine's and goes to a terminal.
std::string one_line(std::string_view text) {
    std::string out(text.substr(0, kMaxMessageBytes));
    std::replace_if(
        out.begin(), out.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; }, ' ');
    while (!out.empty() && out.back() == ' ') out.pop_back();
    return out;
}

std::string header(const Response& response, const char* name) {
    const auto it = response.headers.find(name);
    return it == response.headers.end() ? std::string() : it->second;
}

// "Docker/20.10.24+dfsg1 (linux)" -> "20.10.24+dfsg1"
std::string version_in(std::string_view server) {
    const std::size_t slash = server.find('/');
    if (slash == std::string_view::npos) return {};
    server.remove_prefix(slash + 1);
    return one_line(server.substr(0, server.find(' ')));
}

Reply reply_of(const Response& response) {
    Reply reply;
    reply.status = response.status;
    Json json = parse_json(response.body);
    if (!json.is_discarded()) reply.json = std::move(json);
    if (reply.is_ok()) return reply;
    if (reply.json.is_object()) {
        const auto it = reply.json.find("message");
        if (it != reply.json.end() && it->is_string()) {
            reply.message = one_line(it->get_ref<const std::string&>());
            return reply;
        }
    }
    reply.message = response.body.empty() ? "no reason given" : one_line(response.body);
    return reply;
}

Code code_of(unsigned status) {
    switch (status) {
        case 400:
            return Code::invalid;
        case 404:
            return Code::not_found;
        case 501:
            return Code::unsupported;
        case 503:
            return Code::unavailable;
        default:
            return Code::failed;
    }
}

bool parse_number(std::string_view text, int& number) {
    const char* const begin = text.begin();
    const char* const end = text.end();
    const auto parsed = std::from_chars(begin, end, number);
    return parsed.ec == std::errc() && parsed.ptr == end;
}

Request post_of(std::string_view path, const Json& body) {
    return {.method = "POST",
            .target = std::string(path),
            .body = body.is_null() ? std::string() : dump(body)};
}

std::string versioned(ApiVersion api, std::string_view path) {
    return fmt::format("/v{}{}", api.text(), path);
}

}  // namespace

std::optional<ApiVersion> ApiVersion::parse(std::string_view text) {
    const std::size_t dot = text.find('.');
    if (dot == std::string_view::npos) return std::nullopt;
    ApiVersion version;
    if (!parse_number(text.substr(0, dot), version.major)) return std::nullopt;
    if (!parse_number(text.substr(dot + 1), version.minor)) return std::nullopt;
    if (version.major < 0 || version.minor < 0) return std::nullopt;
    return version;
}

std::string ApiVersion::text() const { return fmt::format("{}.{}", major, minor); }

Error Reply::error(std::string_view action) const {
    return Error{code_of(status), fmt::format("{}: {} (HTTP {})", action, message, status)};
}

Engine::Engine(Endpoint endpoint, Timeouts timeouts) : client_(std::move(endpoint), timeouts) {}

Result<Server> Engine::negotiate(const Call& call) {
    if (server_) return *server_;
    auto response = client_.request(call, {.method = "GET", .target = "/_ping", .body = ""});
    if (!response) return fail(response.error());
    const std::string text = header(*response, "api-version");
    const auto offered = ApiVersion::parse(text);
    if (response->status != 200 || !offered) {
        return fail(Code::unavailable,
                    fmt::format("what answers at {} is no container engine (GET /_ping gave HTTP "
                                "{} without a usable Api-Version)",
                                endpoint().describe(), response->status));
    }
    if (*offered < kOldestApi) {
        return fail(Code::unavailable,
                    fmt::format("the engine at {} speaks API {} at most, {} is needed; update it "
                                "to Docker 20.10 or newer",
                                endpoint().describe(), text, kOldestApi.text()));
    }
    return server_.emplace(Server{.api = std::min(*offered, kNewestApi),
                                  .version = version_in(header(*response, "server")),
                                  .is_podman = !header(*response, "libpod-api-version").empty()});
}

// /_ping does not tell the oldest version that the engine accepts. It is asked only after an
// engine has answered 400, as it does for a version that is too old for it.
Result<void> Engine::check_minimum(const Call& call, ApiVersion ours) {
    if (std::exchange(minimum_checked_, true)) return {};
    auto response = client_.request(call, {.method = "GET", .target = "/version", .body = ""});
    if (!response) return fail(response.error());
    std::string text;
    const Reply reply = reply_of(*response);
    if (!reply.json.is_object()) return {};
    JsonReader in(reply.json, "version");
    in.read("MinAPIVersion", text);
    const auto minimum = ApiVersion::parse(text);
    if (!in.ok() || !minimum || *minimum <= ours) return {};
    return fail(Code::unavailable,
                fmt::format("the engine at {} wants API {} or newer, this version speaks {} at "
                            "most; update alca",
                            endpoint().describe(), minimum->text(), ours.text()));
}

Result<Reply> Engine::send(const Call& call, Request request, const BodySink* sink) {
    auto server = negotiate(call);
    if (!server) return fail(server.error());
    request.target = versioned(server->api, request.target);
    auto response =
        sink == nullptr ? client_.request(call, request) : client_.request(call, request, *sink);
    if (!response) return fail(response.error());
    Reply reply = reply_of(*response);
    if (reply.status == 400) {
        auto checked = check_minimum(call, server->api);
        if (!checked) return fail(checked.error());
    }
    return reply;
}

Result<Reply> Engine::get(const Call& call, std::string_view path) {
    return send(call, {.method = "GET", .target = std::string(path), .body = ""}, nullptr);
}

Result<Reply> Engine::post(const Call& call, std::string_view path, const Json& body) {
    return send(call, post_of(path, body), nullptr);
}

Result<Reply> Engine::make(const Call& call, std::string_view path, const Json& body) {
    if (call.cancelled()) return fail(Code::cancelled, "cancelled");
    Request request = post_of(path, body);
    request.finish = true;
    return send(call, std::move(request), nullptr);
}

Result<Reply> Engine::upload(const Call& call, std::string_view path, std::string archive) {
    return send(call,
                {.method = "POST",
                 .target = std::string(path),
                 .body = std::move(archive),
                 .content_type = "application/x-tar"},
                nullptr);
}

Result<Reply> Engine::remove(const Call& call, std::string_view path) {
    return send(call, {.method = "DELETE", .target = std::string(path), .body = ""}, nullptr);
}

Result<Reply> Engine::post(const Call& call, std::string_view path,
                           std::vector<std::pair<std::string, std::string>> headers,
                           const BodySink& sink) {
    Request request = post_of(path, nullptr);
    request.headers = std::move(headers);
    return send(call, std::move(request), &sink);
}

Result<Stream> Engine::upgrade(const Call& call, std::string_view path, const Json& body,
                               std::string_view action) {
    auto server = negotiate(call);
    if (!server) return fail(server.error());
    Request request = post_of(path, body);
    request.target = versioned(server->api, path);
    auto stream = client_.upgrade(call, request);
    if (!stream) return fail(stream.error());
    const unsigned status = stream->response.status;
    if (status == 101 || status == 200) return stream;
    return fail(reply_of(stream->response).error(action));
}

}  // namespace alca::engine_http
