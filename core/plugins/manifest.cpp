#include "core/plugins/manifest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <initializer_list>
#include <set>

#include "alca/json.hpp"

namespace alca::plugins {
namespace {

constexpr std::int64_t kFormat = 1;
constexpr std::size_t kMaxTextBytes = 256;
constexpr std::string_view kLower = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kDigits = "0123456789";

bool has(std::string_view set, char c) { return set.find(c) != std::string_view::npos; }

bool only(std::string_view text, std::initializer_list<std::string_view> alphabets) {
    return !text.empty() && text.size() <= kMaxTextBytes &&
           std::all_of(text.begin(), text.end(), [&](char c) {
               return std::any_of(alphabets.begin(), alphabets.end(),
                                  [c](std::string_view set) { return has(set, c); });
           });
}

bool is_id(std::string_view text) {
    return only(text, {kLower, kDigits, "-"}) && has(kLower, text.front());
}

// "1.2.3", "1.2.3-rc.1+build": digits in three parts, then anything printable that SemVer allows.
bool is_version(std::string_view text) {
    if (text.size() > kMaxTextBytes) return false;
    const std::string_view core = text.substr(0, text.find_first_of("-+"));
    const std::string_view rest = text.substr(core.size());
    const bool digits =
        only(core, {kDigits, "."}) && std::count(core.begin(), core.end(), '.') == 2;
    const bool parts = core.find("..") == std::string_view::npos && digits && core.front() != '.' &&
                       core.back() != '.';
    return parts && (rest.empty() || std::all_of(rest.begin(), rest.end(), [](unsigned char c) {
                         return std::isalnum(c) != 0 || c == '-' || c == '+' || c == '.';
                     }));
}

// "alca.runtime/1", "org.example.gpu/2".
bool is_interface_id(std::string_view text) {
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos) return false;
    const std::string_view name = text.substr(0, slash);
    return only(name, {kLower, kDigits, "-."}) && has(name, '.') && name.front() != '.' &&
           name.back() != '.' && only(text.substr(slash + 1), {kDigits});
}

// A bare file name: it cannot leave the manifest's directory.
bool is_file_name(std::string_view text) {
    return !text.empty() && text.size() <= kMaxTextBytes && text.front() != '.' &&
           std::all_of(text.begin(), text.end(),
                       [](unsigned char c) { return c > 0x20 && c < 0x7f && c != '/'; });
}

bool is_one_line(std::string_view text) {
    return text.size() <= kMaxTextBytes &&
           std::none_of(text.begin(), text.end(),
                        [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

Result<void> check_identity(const Manifest& manifest, std::string_view id) {
    if (manifest.id != id) {
        return fail(Code::invalid, fmt::format("id is \"{}\" but the file is named {}{}",
                                               manifest.id, id, kManifestSuffix));
    }
    if (!is_id(id)) {
        return fail(Code::invalid, "id must be lower-case letters, digits and hyphens");
    }
    if (!is_version(manifest.version)) {
        return fail(Code::invalid, "version is not SemVer, such as 0.3.0");
    }
    return {};
}

Result<void> check_content(const Manifest& manifest) {
    if (!is_file_name(manifest.library)) {
        return fail(Code::invalid, "library must be the bare name of a file beside the manifest");
    }
    if (!is_one_line(manifest.summary)) {
        return fail(Code::invalid,
                    fmt::format("summary must be one line of at most {} bytes", kMaxTextBytes));
    }
    std::set<std::string_view> seen;
    for (const std::string& interface : manifest.provides) {
        if (!is_interface_id(interface)) {
            return fail(Code::invalid, "provides must name interfaces, such as alca.runtime/1");
        }
        if (!seen.insert(interface).second) {
            return fail(Code::invalid, fmt::format("provides names {} twice", interface));
        }
    }
    if (seen.empty()) return fail(Code::invalid, "provides is empty");
    return {};
}

}  // namespace

Result<Manifest> parse_manifest(std::string_view text, std::string_view id) {
    if (text.size() > kMaxManifestBytes) {
        return fail(Code::invalid, fmt::format("larger than {} bytes", kMaxManifestBytes));
    }
    const auto json = parse_object(text);
    if (!json) return fail(json.error());
    Manifest manifest;
    std::int64_t format = 0;
    JsonReader in(*json, "manifest");
    in.require("manifest", format);
    in.require("id", manifest.id);
    in.require("version", manifest.version);
    in.require("abi", manifest.abi);
    if (auto read = in.done(true); !read) return fail(read.error());
    if (format != kFormat) {
        return fail(Code::invalid,
                    fmt::format("manifest format {} is not known; this alca reads format {}",
                                format, kFormat));
    }
    if (auto valid = check_identity(manifest, id); !valid) return fail(valid.error());
    if (manifest.abi != ALCA_ABI_MAJOR) return manifest;
    in.require("library", manifest.library);
    in.require("provides", manifest.provides);
    in.read("summary", manifest.summary);
    if (auto read = in.done(true); !read) return fail(read.error());
    if (auto valid = check_content(manifest); !valid) return fail(valid.error());
    return manifest;
}

}  // namespace alca::plugins
