#include "plugins/shared/engine_http/answer_parser.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/optional.hpp>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

// Beast is used as a parser only: bytes come from our own socket, because its waits must end when
// the user cancels. No other file includes Beast; it costs seconds to compile.

namespace alca::engine_http {

namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;

constexpr std::size_t kMaxCollectedBytes = std::size_t{16} << 20;
constexpr std::uint32_t kMaxHeadBytes = 64U << 10;

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

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
}

}  // namespace

struct AnswerParser::Parser {
    http::response_parser<TargetBody> http;
    std::string pending;  // added, not yet read

    template <class Done>
    [[nodiscard]] Result<bool> read_until(const Done& done) {
        while (!done()) {
            if (pending.empty()) return false;
            error_code error;
            const std::size_t used =
                http.put(boost::asio::const_buffer(pending.data(), pending.size()), error);
            pending.erase(0, used);
            if (const auto& refused = http.get().body().error; refused) return fail(*refused);
            if (error == http::error::need_more) return false;
            if (error) return fail("the engine's answer is not valid HTTP: " + error.message());
        }
        return true;
    }
};

AnswerParser::AnswerParser(const BodySink* sink) : parser_(std::make_unique<Parser>()) {
    parser_->http.header_limit(kMaxHeadBytes);
    // BodyTarget has the limit. (Boost 1.74 takes boost::none for 0.)
    parser_->http.body_limit(std::numeric_limits<std::uint64_t>::max());
    parser_->http.get().body().sink = sink;
}

AnswerParser::~AnswerParser() = default;

void AnswerParser::add(std::string_view bytes) { parser_->pending.append(bytes); }

Result<bool> AnswerParser::read_head() {
    return parser_->read_until([this] { return parser_->http.is_header_done(); });
}

Result<bool> AnswerParser::read_body() {
    parser_->http.eager(true);
    return parser_->read_until([this] { return parser_->http.is_done(); });
}

bool AnswerParser::may_end_here() {
    // The end of the connection may be the proper end of a body without length.
    error_code error;
    if (has_head() && !parser_->http.is_done()) parser_->http.put_eof(error);
    return parser_->http.is_done() && !error;
}

bool AnswerParser::has_head() const { return parser_->http.is_header_done(); }

unsigned AnswerParser::status() const { return parser_->http.get().result_int(); }

bool AnswerParser::may_reuse() const {
    return parser_->http.keep_alive() && parser_->pending.empty();
}

Response AnswerParser::take_response() {
    Response response;
    response.status = status();
    for (const auto& field : parser_->http.get()) {
        const auto name = field.name_string();
        const auto value = field.value();
        response.headers.insert_or_assign(lower({name.data(), name.size()}),
                                          std::string(value.data(), value.size()));
    }
    response.body = std::move(parser_->http.get().body().text);
    return response;
}

std::string AnswerParser::take_rest() { return std::move(parser_->pending); }

}  // namespace alca::engine_http
