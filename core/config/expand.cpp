#include "core/config/expand.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "core/config/reader.hpp"
#include "core/config/text.hpp"

namespace alca::config {
namespace {

bool is_name_start(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// In braces a name may hold "-", as users of the format know it; a bare $NAME ends there.
std::size_t name_length(std::string_view text, bool in_braces) {
    if (text.empty() || !is_name_start(text[0])) return 0;
    std::size_t length = 1;
    while (length < text.size()) {
        const char c = text[length];
        const bool digit = std::isdigit(static_cast<unsigned char>(c)) != 0;
        if (!is_name_start(c) && !digit && !(in_braces && c == '-')) break;
        ++length;
    }
    return length;
}

// One reference at the start of a text.
struct Reference {
    std::string_view name;
    std::string_view fallback;
    bool has_fallback = false;
    std::size_t length = 0;  // of the whole reference in the text
};

// text begins with "${".
Result<Reference> parse_braces(std::string_view text) {
    const std::size_t close = text.find('}');
    if (close == std::string_view::npos) {
        return fail(
            Code::invalid,
            fmt::format("{} has no closing brace; write $${{ for a literal ${{", in_quotes(text)));
    }
    const std::string_view inside = text.substr(2, close - 2);
    Reference found;
    found.length = close + 1;
    found.name = inside.substr(0, name_length(inside, true));
    const std::string_view rest = inside.substr(found.name.size());
    found.has_fallback = rest.starts_with(":-");
    const bool nested = rest.find("${") != std::string_view::npos;
    if (found.name.empty() || nested || (!rest.empty() && !found.has_fallback)) {
        return fail(Code::invalid,
                    fmt::format("{} is neither ${{NAME}} nor ${{NAME:-default}}; write $${{ for "
                                "a literal ${{",
                                in_quotes(text.substr(0, close + 1))));
    }
    if (found.has_fallback) found.fallback = rest.substr(2);
    return found;
}

Result<std::string> value_of(const Reference& reference, const Environment& environment) {
    const auto found = environment.find(reference.name);
    const bool set = found != environment.end();
    if (set && (!found->second.empty() || !reference.has_fallback)) return found->second;
    if (reference.has_fallback) return std::string(reference.fallback);
    return fail(
        Code::invalid,
        fmt::format("undefined environment variable: ${}; set it, or write ${{{}:-default}}",
                    reference.name, reference.name));
}

// Calls on_text for what is literal and on_reference for each reference, in order.
template <class OnText, class OnReference>
Result<void> scan(std::string_view text, bool bare_names, OnText on_text,
                  OnReference on_reference) {
    while (!text.empty()) {
        const std::size_t dollar = text.find('$');
        on_text(text.substr(0, dollar));
        if (dollar == std::string_view::npos) break;
        text.remove_prefix(dollar);
        if (text.starts_with("$${")) {
            on_text("${");
            text.remove_prefix(3);
            continue;
        }
        Reference reference;
        if (text.starts_with("${")) {
            auto parsed = parse_braces(text);
            if (!parsed) return fail(parsed.error());
            reference = *parsed;
        } else if (const std::size_t length = name_length(text.substr(1), false);
                   bare_names && length > 0) {
            reference.name = text.substr(1, length);
            reference.length = length + 1;
        } else {
            on_text("$");
            text.remove_prefix(1);
            continue;
        }
        if (auto done = on_reference(reference); !done) return done;
        text.remove_prefix(reference.length);
    }
    return {};
}

Result<std::string> expand_text(std::string_view text, const Environment& environment,
                                bool bare_names) {
    std::string out;
    auto done = scan(
        text, bare_names, [&](std::string_view literal) { out += literal; },
        [&](const Reference& reference) -> Result<void> {
            auto value = value_of(reference, environment);
            if (!value) return fail(value.error());
            out += *value;
            return {};
        });
    if (!done) return fail(done.error());
    return out;
}

Result<EnvMap> expand_settings(const Config& config, const Environment& environment,
                               bool only_on_enter) {
    EnvMap out;
    Problems problems(config.file.string());
    for (const auto& [name, setting] : config.envs) {
        if (only_on_enter && !setting.override_on_enter) continue;
        auto value = expand(setting.value, environment);
        if (!value) {
            problems.add(setting.position,
                         fmt::format("envs.{}: {}", printable(name), value.error().message));
        } else if (!value->empty()) {
            out.emplace(name, std::move(*value));
        }
    }
    if (!problems.empty()) return fail(problems.error());
    return out;
}

}  // namespace

Result<std::string> expand(std::string_view text, const Environment& environment) {
    return expand_text(text, environment, false);
}

Result<std::string> expand_path(std::string_view text, const Environment& environment) {
    return expand_text(text, environment, true);
}

std::vector<std::string> referenced_names(std::string_view text) {
    std::vector<std::string> names;
    // Where the text does not parse, expand refuses it: what was found before is all that it reads.
    static_cast<void>(scan(
        text, false, [](std::string_view) {},
        [&](const Reference& reference) -> Result<void> {
            if (std::find(names.begin(), names.end(), reference.name) == names.end()) {
                names.emplace_back(reference.name);
            }
            return {};
        }));
    return names;
}

Result<EnvMap> creation_environment(const Config& config, const Environment& environment) {
    return expand_settings(config, environment, false);
}

Result<EnvMap> enter_environment(const Config& config, const Environment& environment) {
    return expand_settings(config, environment, true);
}

}  // namespace alca::config
