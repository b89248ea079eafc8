#include "render.hpp"

#include <algorithm>
#include <utility>

namespace alca::presets {
namespace {

constexpr std::string_view kMark = "#% ";
constexpr std::string_view kImageLine = "image = \"";

// One "#% KEY TEXT" line, mark removed.
Result<void> read_line(std::string_view line, Preset& preset) {
    const std::size_t blank = line.find(' ');
    const std::string_view key = line.substr(0, blank);
    const std::string text(blank == std::string_view::npos ? "" : line.substr(blank + 1));
    if (key == "name") {
        preset.info.name = text;
    } else if (key == "summary") {
        preset.info.summary = text;
    } else if (key == "version") {
        preset.info.agent_version = text;
    } else if (key == "gitignore") {
        preset.files.gitignore.push_back(text);
    } else if (key == "note") {
        preset.files.notes.push_back(text);
    } else {
        return fail(Code::invalid, "preset: unknown line \"#% " + std::string(line) + "\"");
    }
    return {};
}

// Where the image's line begins, or npos.
std::size_t find_image(std::string_view config) {
    if (config.starts_with(kImageLine)) return 0;
    const std::size_t before = config.find("\n" + std::string(kImageLine));
    return before == std::string_view::npos ? before : before + 1;
}

}  // namespace

Result<Preset> parse_preset(std::string_view text) {
    Preset preset;
    while (text.starts_with(kMark)) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        auto read = read_line(text.substr(kMark.size(), end - kMark.size()), preset);
        if (!read) return fail(read.error());
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    const PresetInfo& info = preset.info;
    if (info.name.empty() || info.summary.empty() || info.agent_version.empty()) {
        return fail(Code::invalid, "preset: needs the lines name, summary and version");
    }
    if (find_image(text) == std::string_view::npos) {
        return fail(Code::invalid, "preset " + info.name + ": needs a line: image = \"...\"");
    }
    preset.files.config = text;
    return preset;
}

Result<std::string> with_image(std::string config, std::string_view image) {
    if (image.empty()) return config;
    std::string quoted;
    for (const char c : image) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
            return fail(Code::invalid, "the image's name has a control character");
        }
        if (c == '"' || c == '\\') quoted += '\\';
        quoted += c;
    }
    const std::size_t begin = find_image(config);
    if (begin == std::string::npos)
        return fail(Code::invalid, "the preset has no image to replace");
    const std::size_t end = std::min(config.find('\n', begin), config.size());
    config.replace(begin, end - begin, std::string(kImageLine) + quoted + "\"");
    return config;
}

}  // namespace alca::presets
