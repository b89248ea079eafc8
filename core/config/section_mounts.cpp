#include <fmt/format.h>

#include <set>

#include "core/config/sections.hpp"
#include "core/config/text.hpp"

namespace alca::config {
namespace {

// A mount as written, before anything is looked up.
struct Written {
    std::string source;
    std::string volume;
    std::string target;
    bool read_only = false;
};

// Splits at colons outside of ${...}, whose default may have one.
std::vector<std::string> split(std::string_view text) {
    std::vector<std::string> parts(1);
    bool in_braces = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text.substr(i).starts_with("${")) in_braces = true;
        if (text[i] == '}') in_braces = false;
        if (text[i] == ':' && !in_braces) {
            parts.emplace_back();
        } else {
            parts.back() += text[i];
        }
    }
    return parts;
}

Result<Written> parse_string(std::string_view text) {
    std::vector<std::string> parts = split(text);
    if (parts.size() < 2 || parts.size() > 3) {
        return fail(Code::invalid,
                    fmt::format("invalid mount format {}; write \"source:target\", "
                                "\"source:target:ro\", or a table {{source, target}}",
                                in_quotes(text)));
    }
    if (parts[0].empty()) return fail(Code::invalid, "mount source cannot be empty");
    if (parts[1].empty()) return fail(Code::invalid, "mount target cannot be empty");
    if (parts.size() == 3 && parts[2] != "ro") {
        return fail(Code::invalid, fmt::format("invalid mount option {}; only \"ro\" is known",
                                               in_quotes(parts[2])));
    }
    return Written{std::move(parts[0]), "", std::move(parts[1]), parts.size() == 3};
}

bool is_volume_name(std::string_view name) {
    constexpr std::string_view kFirst = "abcdefghijklmnopqrstuvwxyz0123456789";
    constexpr std::string_view kRest = "abcdefghijklmnopqrstuvwxyz0123456789_-";
    return !name.empty() && name.size() <= 31 && kFirst.find(name[0]) != std::string_view::npos &&
           name.find_first_not_of(kRest) == std::string_view::npos;
}

Result<void> check_table(const TableReader& table, const Written& mount) {
    const bool has_source = table.find("source") != nullptr;
    const bool has_volume = table.find("volume") != nullptr;
    if (has_source && has_volume) {
        return fail(Code::invalid, "mount has both source and volume; keep one");
    }
    if (has_volume && !is_volume_name(mount.volume)) {
        return fail(Code::invalid,
                    fmt::format("volume {} must be 1 to 31 of a-z, 0-9, _ and -, and begin with a "
                                "letter or digit",
                                in_quotes(mount.volume)));
    }
    if (!has_volume && mount.source.empty()) return fail(Code::invalid, "mount source is required");
    if (mount.target.empty()) return fail(Code::invalid, "mount target is required");
    return {};
}

// "~" and "$NAME" expanded, absolute, symlinks resolved as far as the path exists.
Result<std::string> resolve_source(const std::string& written, const Reading& reading) {
    auto text = expand_path(written, reading.context.environment);
    if (!text) return text;
    if (text->empty()) {
        return fail(Code::invalid,
                    fmt::format("mount source {} expands to nothing", in_quotes(written)));
    }
    fs::path path(*text);
    if (written.starts_with('~')) {
        if (written.size() > 1 && written[1] != '/') {
            return fail(
                Code::invalid,
                fmt::format("{}: only ~ and ~/ are known; write the path out", in_quotes(written)));
        }
        if (reading.config.home.empty()) {
            return fail(Code::invalid, fmt::format("{}: HOME is not set", in_quotes(written)));
        }
        const std::size_t rest = text->find_first_not_of('/', 1);
        path = reading.config.home;
        if (rest != std::string::npos) path /= text->substr(rest);
    }
    if (path.is_relative()) path = reading.config.project_dir / path;
    std::string source = resolved(path).string();
    while (source.size() > 1 && source.back() == '/') source.pop_back();
    if (find_invalid_utf8(source) != std::string::npos) {
        return fail(Code::invalid, fmt::format("mount source {} is not UTF-8", in_quotes(source)));
    }
    return source;
}

class MountsReader {
  public:
    explicit MountsReader(Reading& reading) : reading_(reading) {}

    void read(const toml::node& node, const std::string& shown) {
        Written written;
        if (node.is_string()) {
            const auto text = read_string(node, shown, reading_.problems);
            if (!text) return;
            auto parsed = parse_string(*text);
            if (!parsed) return report(node, shown, parsed.error());
            written = std::move(*parsed);
        } else if (node.is_table()) {
            if (!read_table(*node.as_table(), shown, written)) return;
        } else {
            return reading_.problems.add_type(node, shown, "a string or a table {source, target}");
        }
        if (auto added = add(written, position_of(node)); !added) {
            report(node, shown, added.error());
        }
    }

  private:
    void report(const toml::node& node, const std::string& shown, const Error& error) {
        reading_.problems.add(position_of(node), fmt::format("{}: {}", shown, error.message));
    }

    bool read_table(const toml::table& node, const std::string& shown, Written& written) {
        const TableReader table(node, "mounts[]", shown, reading_.problems);
        table.read("source", written.source);
        table.read("volume", written.volume);
        table.read("target", written.target);
        table.read("readonly", written.read_only);
        refuse_if_set(table, "exclude", "mount a directory without such files", reading_.problems);
        // A member of the wrong type has its problem already.
        for (const char* key : {"source", "volume", "target"}) {
            if (table.find(key) != nullptr && !table.find(key)->is_string()) return false;
        }
        auto checked = check_table(table, written);
        if (!checked) report(node, shown, checked.error());
        return checked.has_value();
    }

    Result<void> add(const Written& written, Position position) {
        auto target = parse_inside_path(written.target);
        if (!target) return fail(target.error(), "mount target");
        const std::string& workdir = reading_.config.workdir;
        if (*target == workdir) {
            return fail(Code::invalid,
                        fmt::format("mount target {} conflicts with workdir; choose another target",
                                    in_quotes(*target)));
        }
        if (!targets_.insert(*target).second) {
            return fail(Code::invalid, fmt::format("mount target {} is already used; keep one",
                                                   in_quotes(*target)));
        }
        MountSetting setting;
        setting.written = written.source;
        setting.position = position;
        setting.mount.volume = written.volume;
        setting.mount.target = std::move(*target);
        setting.mount.read_only = written.read_only;
        if (written.volume.empty()) {
            auto source = resolve_source(written.source, reading_);
            if (!source) return fail(source.error());
            setting.mount.source = std::move(*source);
        }
        reading_.config.mounts.push_back(std::move(setting));
        return {};
    }

    Reading& reading_;
    std::set<std::string> targets_;
};

}  // namespace

void read_mounts(const TableReader& file, Reading& reading) {
    MountSetting project;
    project.mount.source = reading.config.project_dir.string();
    project.mount.target = reading.config.workdir;
    project.written = ".";
    reading.config.mounts.push_back(std::move(project));

    const toml::node* node = file.find("mounts");
    if (node == nullptr) return;
    const toml::array* array = node->as_array();
    if (array == nullptr) return reading.problems.add_type(*node, "mounts", "an array");
    MountsReader mounts(reading);
    for (std::size_t i = 0; i < array->size(); ++i) {
        mounts.read((*array)[i], fmt::format("mounts[{}]", i));
    }
}

}  // namespace alca::config
