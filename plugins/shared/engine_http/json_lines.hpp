// plugins/shared/engine_http/json_lines.hpp - a stream of JSON objects, one a line, in pieces.
#ifndef ALCA_PLUGINS_SHARED_ENGINE_HTTP_JSON_LINES_HPP
#define ALCA_PLUGINS_SHARED_ENGINE_HTTP_JSON_LINES_HPP

#include <functional>
#include <string>
#include <string_view>

#include "alca/json.hpp"
#include "alca/result.hpp"

namespace alca::engine_http {

class JsonLines {
  public:
    using Handler = std::function<Result<void>(const Json& object)>;

    explicit JsonLines(Handler handler) : handler_(std::move(handler)) {}

    // Takes any piece of the stream; calls the handler for each line that is complete with it.
    // Errors: the handler's; failed (a line that is no JSON object, or longer than 1 MiB).
    [[nodiscard]] Result<void> feed(std::string_view piece);
    // The end of the stream: what is left is a line too.
    [[nodiscard]] Result<void> finish();

  private:
    [[nodiscard]] Result<void> take_line(std::string_view line);

    Handler handler_;
    std::string rest_;
};

}  // namespace alca::engine_http

#endif
