#include "text.hpp"

#include <cctype>
#include <charconv>
#include <cstring>

#include "files.hpp"

namespace alca::init {

void Text::set(std::initializer_list<std::string_view> parts) {
    size_ = 0;
    for (const std::string_view part : parts) {
        size_ += part.copy(buffer_.data() + size_, kMaxBytes - size_);
    }
    buffer_[size_] = '\0';
}

Number::Number(std::uint64_t value) {
    const std::to_chars_result end =
        std::to_chars(digits_.data(), digits_.data() + digits_.size(), value);
    size_ = static_cast<std::size_t>(end.ptr - digits_.data());
}

std::optional<std::uint64_t> parse_number(std::string_view text, std::uint64_t maximum) {
    std::uint64_t value = 0;
    const char* start = text.data();
    const char* end = start + text.size();
    const std::from_chars_result result = std::from_chars(start, end, value);
    if (result.ec != std::errc{} || result.ptr != end || value > maximum) return std::nullopt;
    return value;
}

Text describe_error(int error) {
    Text text;
    const char* description = strerrordesc_np(error);
    if (description == nullptr) {
        text.set({"error ", Number(static_cast<std::uint64_t>(error)).view()});
        return text;
    }
    // The C library's texts begin with a capital; ours stand inside a sentence.
    const std::string_view words(description);
    const char first = static_cast<char>(std::tolower(static_cast<unsigned char>(words.front())));
    text.set({{&first, 1}, words.substr(1)});
    return text;
}

std::string_view error_name(int error) {
    const char* name = strerrorname_np(error);
    return name == nullptr ? std::string_view("EUNKNOWN") : std::string_view(name);
}

void complain(std::string_view program, std::initializer_list<std::string_view> parts) {
    Text message;
    message.set(parts);
    Text line;
    line.set({program, ": ", message.view().substr(0, 960), "\n"});
    static_cast<void>(write_all(STDERR_FILENO, line.view()));  // nowhere left to report to
}

}  // namespace alca::init
