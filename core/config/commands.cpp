#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/sections.hpp"
#include "core/config/text.hpp"

namespace alca::config {
namespace {

void read_text(const TableReader& commands, std::string_view key, std::string& out,
               Reading& reading) {
    const toml::node* node = commands.find(key);
    if (node == nullptr) return;
    const std::string name = commands.name(key);
    if (node->is_string()) {
        commands.read(key, out);
    } else if (node->is_table()) {
        const TableReader table(*node->as_table(), name, name, reading.problems);
        table.read("command", out);
        bool append = false;  // has a meaning only in files that are laid over others
        table.read("append", append);
    } else {
        reading.problems.add_type(*node, name, "a string or a table {command, append}");
    }
}

void read_aliases(const TableReader& commands, Reading& reading) {
    const toml::table* aliases = commands.table("aliases");
    if (aliases == nullptr) return;
    for (const auto& [key, node] : *aliases) {
        const std::string word(key.str());
        const std::string name = fmt::format("commands.aliases.{}", printable(word));
        std::vector<std::string> argv = read_strings(node, name, reading.problems);
        if (!node.is_array()) continue;
        if (word.empty() || argv.empty() || argv.front().empty()) {
            reading.problems.add(position_of(node),
                                 fmt::format("{}: must name a program, as in claude = [\"claude\", "
                                             "\"--help\"]",
                                             name));
        }
        reading.config.commands.aliases.emplace(word, std::move(argv));
    }
}

// Words between spaces. A separator stays part of its word, so "cat;ls" is one word and no known
// one.
std::vector<std::string_view> words_of(std::string_view text) {
    std::vector<std::string_view> words;
    while (true) {
        const std::size_t begin = text.find_first_not_of(" \t");
        if (begin == std::string_view::npos) return words;
        text.remove_prefix(begin);
        const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
        words.push_back(text.substr(0, end));
        text.remove_prefix(end);
    }
}

std::string_view trimmed(std::string_view text, std::string_view what) {
    const std::size_t begin = std::min(text.find_first_not_of(what), text.size());
    text.remove_prefix(begin);
    return text.substr(0, text.find_last_not_of(what) + 1);
}

}  // namespace

void read_commands(const TableReader& file, Reading& reading) {
    const toml::table* table = file.table("commands");
    if (table == nullptr) return;
    const TableReader commands(*table, "commands", "commands", reading.problems);
    read_text(commands, "up", reading.config.commands.up, reading);
    read_text(commands, "enter", reading.config.commands.enter, reading);
    read_aliases(commands, reading);
}

bool is_keepalive(std::string_view command) {
    std::vector<std::string_view> words = words_of(trimmed(command, " \t\r\n;"));
    if (!words.empty() && words.front() == "exec") words.erase(words.begin());
    if (words.empty()) return false;
    std::string_view program = words.front();
    for (const std::string_view directory : {"/bin/", "/usr/bin/"}) {
        if (program.starts_with(directory)) program.remove_prefix(directory.size());
    }
    if (words.size() == 1) return program == "cat";
    if (words.size() == 2) {
        return program == "sleep" && (words[1] == "infinity" || words[1] == "inf");
    }
    return words.size() == 3 && program == "tail" && (words[1] == "-f" || words[1] == "-F") &&
           words[2] == "/dev/null";
}

std::vector<std::string> with_alias(const Config& config, std::vector<std::string> argv) {
    const auto found = config.commands.aliases.find(argv.front());
    if (found == config.commands.aliases.end()) return argv;
    std::vector<std::string> out = found->second;
    out.insert(out.end(), argv.begin() + 1, argv.end());
    return out;
}

}  // namespace alca::config
