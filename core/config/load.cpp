#include "core/config/load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "core/config/sections.hpp"
#include "core/config/text.hpp"
#include "core/os/file.hpp"

namespace alca::config {
namespace {

// Where byte `at` of `text` is; columns count bytes.
Position position_at(std::string_view text, std::size_t at) {
    const std::string_view before = text.substr(0, at);
    const auto lines = std::count(before.begin(), before.end(), '\n');
    const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 = 0
    return {static_cast<std::uint32_t>(lines + 1), static_cast<std::uint32_t>(at - line_start + 1)};
}

Config defaults(const fs::path& file, const LoadContext& context) {
    Config config;
    config.file = file;
    config.project_dir = resolved(context.project_dir);
    config.home = context.home.empty() ? fs::path() : resolved(context.home);
    return config;
}

void read_sections(const toml::table& table, Reading& reading) {
    const TableReader file(table, "", "", reading.problems);
    read_references(file, reading);
    read_image(file, reading);
    read_workdir(file, reading);
    read_runtime_and_user(file, reading);
    read_stop_timeout(file, reading);
    read_commands(file, reading);
    read_mounts(file, reading);
    read_resources(file, reading);
    read_envs(file, reading);
    read_network(file, reading);
    read_caps(file, reading);
    read_hooks(file, reading);
}

}  // namespace

fs::path resolved(const fs::path& path) {
    fs::path real = path.lexically_normal();
    // One pass is not enough: in "gone/../link" the symlink shows only when ".." has been taken
    // out.
    constexpr int kMostPasses = 40;
    for (int pass = 0; pass < kMostPasses; ++pass) {
        std::error_code error;
        fs::path next = fs::weakly_canonical(real, error);
        if (error || next == real) break;
        real = std::move(next);
    }
    return real;
}

namespace {

constexpr int kMostKeyParts = 32;

// Index behind the TOML string that begins at `begin`, of any of the four kinds.
std::size_t end_of_string(std::string_view text, std::size_t begin) {
    const char quote = text[begin];
    const std::string_view three = quote == '"' ? "\"\"\"" : "'''";
    const bool lines = text.substr(begin).starts_with(three);
    for (std::size_t i = begin + (lines ? 3 : 1); i < text.size(); ++i) {
        if (quote == '"' && text[i] == '\\') {
            ++i;
        } else if (!lines && (text[i] == quote || text[i] == '\n')) {
            return i + 1;
        } else if (lines && text.substr(i).starts_with(three)) {
            // Two more may stand there: the string ends with quotes of its own.
            std::size_t behind = i + 3;
            while (behind < std::min(i + 5, text.size()) && text[behind] == quote) ++behind;
            return behind;
        }
    }
    return text.size();
}

// The TOML library descends once for each part of a key, and a value may hold values with such
// keys, so long ones end the stack. Where a key begins to be too long, or npos.
std::size_t find_deep_key(std::string_view text) {
    int parts = 1;
    for (std::size_t i = 0; i < text.size();) {
        const char c = text[i];
        if (c == '"' || c == '\'') {
            i = end_of_string(text, i);
            continue;
        }
        if (c == '#') {
            i = std::min(text.find('\n', i), text.size());
            continue;
        }
        if (c == '.' && ++parts > kMostKeyParts) return i;
        if (c == '\n' || c == '=' || c == ',') parts = 1;
        ++i;
    }
    return std::string_view::npos;
}

}  // namespace

Result<Config> parse(std::string_view text, const fs::path& file, const LoadContext& context) {
    Problems problems(file.string());
    if (const std::size_t bad = find_invalid_utf8(text); bad != std::string_view::npos) {
        problems.add(position_at(text, bad), "not UTF-8; save the file as UTF-8");
        return fail(problems.error());
    }
    if (const std::size_t dots = find_deep_key(text); dots != std::string_view::npos) {
        problems.add(position_at(text, dots),
                     fmt::format("a key of more than {} parts", kMostKeyParts));
        return fail(problems.error());
    }
    const toml::parse_result parsed = toml::parse(text);
    if (!parsed) {
        const toml::source_position where = parsed.error().source().begin;
        problems.add({where.line, where.column},
                     fmt::format("not valid TOML: {}", printable(parsed.error().description())));
        return fail(problems.error());
    }
    Config config = defaults(file, context);
    Reading reading{context, problems, config};
    read_sections(parsed.table(), reading);
    if (!problems.empty()) return fail(problems.error());
    return config;
}

Result<Config> load(const fs::path& file, const LoadContext& context) {
    auto text = os::read_file(file, kMaxConfigBytes);
    if (!text) return fail(text.error());
    return parse(*text, file, context);
}

}  // namespace alca::config
