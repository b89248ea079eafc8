// alca/json.hpp - reading JSON that came from another program: every access checks, none throws.
//
// The rule of the boundary: unknown members are ignored, a missing or null optional member means
// its default, a member of the wrong type is an error that names its path.
#ifndef ALCA_JSON_HPP
#define ALCA_JSON_HPP

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alca/result.hpp"

namespace alca {

using Json = nlohmann::json;

inline constexpr int kMostJsonLevels = 100;

// Whether `text`, if it is JSON, has more levels: what copies or writes a value goes down into
// each, and would end the stack.
[[nodiscard]] inline bool is_too_deep(std::string_view text) {
    int levels = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (in_string && c == '\\') {
            ++i;
        } else if (c == '"') {
            in_string = !in_string;
        } else if (!in_string && (c == '[' || c == '{')) {
            if (++levels > kMostJsonLevels) return true;
        } else if (!in_string && (c == ']' || c == '}')) {
            --levels;
        }
    }
    return false;
}

// The value that `text` is; discarded when it is no JSON, not UTF-8, or too deep.
[[nodiscard]] inline Json parse_json(std::string_view text) {
    if (is_too_deep(text)) return Json(Json::value_t::discarded);
    return Json::parse(text, nullptr, /*allow_exceptions=*/false);
}

// Parses `text` as one JSON object. Errors: invalid (no such JSON, not an object).
[[nodiscard]] inline Result<Json> parse_object(std::string_view text) {
    Json json = parse_json(text);
    if (json.is_discarded()) return fail(Code::invalid, "not valid JSON");
    if (!json.is_object()) return fail(Code::invalid, "expected a JSON object");
    return json;
}

// Text of `json`. Bytes that are not UTF-8 become U+FFFD: nothing here may throw.
[[nodiscard]] inline std::string dump(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// Reads members of one object into typed fields and keeps the first error:
//
//   JsonReader in(json, "mount");
//   in.read("source", mount.source);                 missing: stays as it is
//   in.require("target", mount.target);              missing: error "mount.target is missing"
//   return in.done(mount);
class JsonReader {
  public:
    JsonReader(const Json& object, std::string_view path) : object_(object), path_(path) {
        if (!object_.is_object()) set_error("must be an object");
    }

    template <class T>
    void read(const char* key, T& out) {
        if (const Json* value = find(key); value != nullptr) assign(*value, key, out);
    }

    template <class T>
    void require(const char* key, T& out) {
        if (const Json* value = find(key); value != nullptr) {
            assign(*value, key, out);
        } else if (ok()) {
            error_ = Error{Code::invalid, path_ + "." + key + " is missing"};
            failed_ = true;
        }
    }

    [[nodiscard]] bool ok() const { return !failed_; }

    template <class T>
    [[nodiscard]] Result<T> done(T value) const {
        if (failed_) return fail(error_);
        return value;
    }

  private:
    [[nodiscard]] const Json* find(const char* key) const {
        if (failed_) return nullptr;
        auto it = object_.find(key);
        return it == object_.end() || it->is_null() ? nullptr : &*it;
    }

    void set_error(std::string_view what, const char* key = nullptr) {
        if (failed_) return;
        failed_ = true;
        error_ = Error{Code::invalid, path_ + (key != nullptr ? "." + std::string(key) : "") + " " +
                                          std::string(what)};
    }

    void assign(const Json& value, const char* key, std::string& out) {
        if (!value.is_string()) return set_error("must be a string", key);
        out = value.get_ref<const std::string&>();
    }
    void assign(const Json& value, const char* key, bool& out) {
        if (!value.is_boolean()) return set_error("must be true or false", key);
        out = value.get<bool>();
    }
    void assign(const Json& value, const char* key, double& out) {
        if (!value.is_number()) return set_error("must be a number", key);
        out = value.get<double>();
    }
    template <class Int>
        requires std::is_integral_v<Int>
    void assign(const Json& value, const char* key, Int& out) {
        if (!value.is_number_integer()) return set_error("must be an integer", key);
        if (value.is_number_unsigned()) {
            const auto number = value.get<std::uint64_t>();
            if (!std::in_range<Int>(number)) return set_error("is out of range", key);
            out = static_cast<Int>(number);
        } else {
            const auto number = value.get<std::int64_t>();
            if (!std::in_range<Int>(number)) return set_error("is out of range", key);
            out = static_cast<Int>(number);
        }
    }
    void assign(const Json& value, const char* key, Json& out) {
        static_cast<void>(key);
        out = value;
    }
    template <class T>
    void assign(const Json& value, const char* key, std::vector<T>& out) {
        if (!value.is_array()) return set_error("must be an array", key);
        out.clear();
        for (const Json& item : value) assign(item, key, out.emplace_back());
    }
    template <class T>
    void assign(const Json& value, const char* key, std::map<std::string, T>& out) {
        if (!value.is_object()) return set_error("must be an object", key);
        out.clear();
        for (const auto& [name, item] : value.items()) assign(item, key, out[name]);
    }
    template <class T>
    void assign(const Json& value, const char* key, std::optional<T>& out) {
        assign(value, key, out.emplace());
    }
    // A typed struct of this SDK: it offers `Result<T> T::from_json(const Json&)`.
    template <class T>
        requires requires(const Json& j) { T::from_json(j); }
    void assign(const Json& value, const char* key, T& out) {
        static_cast<void>(key);
        auto parsed = T::from_json(value);
        if (parsed) {
            out = std::move(*parsed);
        } else if (!failed_) {
            failed_ = true;
            error_ = Error{Code::invalid, path_ + "." + key + ": " + parsed.error().message};
        }
    }

    const Json& object_;
    std::string path_;
    bool failed_ = false;
    Error error_;
};

}  // namespace alca

#endif
