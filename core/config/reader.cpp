#include "core/config/reader.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/config/keys.hpp"
#include "core/config/text.hpp"

namespace alca::config {
namespace {

constexpr std::size_t kMostProblems = 10;

// What a misspelled key was meant to be, as ending of a message: `; did you mean "image"?`, or "".
std::string suggestion(std::string_view key, std::string_view path) {
    std::string_view meant = nearest(key, keys_in(path));
    if (meant.empty()) {
        // The right word in the wrong table, such as memory outside of resources.
        for (const Key& known : keys()) {
            if (known.name.ends_with(fmt::format(".{}", key))) meant = known.name;
        }
    }
    return meant.empty() ? "" : fmt::format("; did you mean \"{}\"?", meant);
}

}  // namespace

Position position_of(const toml::node& node) {
    return {node.source().begin.line, node.source().begin.column};
}

Position position_of(const toml::key& key) {
    return {key.source().begin.line, key.source().begin.column};
}

std::string_view type_name(const toml::node& node) {
    switch (node.type()) {
        case toml::node_type::table:
            return "a table";
        case toml::node_type::array:
            return "an array";
        case toml::node_type::string:
            return "a string";
        case toml::node_type::integer:
            return "an integer";
        case toml::node_type::floating_point:
            return "a float";
        case toml::node_type::boolean:
            return "a boolean";
        case toml::node_type::date:
            return "a date";
        case toml::node_type::time:
            return "a time";
        case toml::node_type::date_time:
            return "a date and time";
        case toml::node_type::none:
            break;
    }
    return "nothing";
}

void Problems::add(Position position, std::string message) {
    problems_.emplace(std::pair(position.line, position.column), std::move(message));
}

void Problems::add_type(const toml::node& node, std::string_view what, std::string_view expected) {
    add(position_of(node), fmt::format("{}: expected {}, got {}", what, expected, type_name(node)));
}

Error Problems::error() const {
    const std::string file = printable(file_);
    std::string text;
    std::size_t count = 0;
    for (const auto& [place, message] : problems_) {
        if (count++ == kMostProblems) {
            return {Code::invalid, fmt::format("{}\n{}: and {} more", text, file,
                                               problems_.size() - kMostProblems)};
        }
        if (!text.empty()) text += '\n';
        text += file;
        if (place.first != 0) text += fmt::format(":{}:{}", place.first, place.second);
        text += ": " + message;
    }
    return {Code::invalid, std::move(text)};
}

std::optional<std::string> read_string(const toml::node& node, std::string_view what,
                                       Problems& problems) {
    const auto* text = node.as_string();
    if (text == nullptr) {
        problems.add_type(node, what, "a string");
        return std::nullopt;
    }
    if (text->get().find('\0') != std::string::npos) {
        problems.add(position_of(node), fmt::format("{}: must not contain a NUL character", what));
        return std::nullopt;
    }
    return text->get();
}

std::vector<std::string> read_strings(const toml::node& node, std::string_view what,
                                      Problems& problems) {
    std::vector<std::string> out;
    const toml::array* array = node.as_array();
    if (array == nullptr) {
        problems.add_type(node, what, "an array of strings");
        return out;
    }
    for (std::size_t i = 0; i < array->size(); ++i) {
        auto text = read_string((*array)[i], fmt::format("{}[{}]", what, i), problems);
        if (text) out.push_back(std::move(*text));
    }
    return out;
}

TableReader::TableReader(const toml::table& table, std::string_view path, std::string shown,
                         Problems& problems)
    : table_(table), shown_(std::move(shown)), problems_(problems) {
    report_unknown(path);
}

void TableReader::report_unknown(std::string_view path) const {
    const auto known = keys_in(path);
    for (const auto& [key, value] : table_) {
        if (std::find(known.begin(), known.end(), key.str()) != known.end()) continue;
        const std::string place = shown_.empty() ? "" : fmt::format(" in {}", shown_);
        problems_.add(position_of(key), fmt::format("unknown key {}{}{}", in_quotes(key.str()),
                                                    place, suggestion(key.str(), path)));
    }
}

std::string TableReader::name(std::string_view key) const {
    return shown_.empty() ? std::string(key) : fmt::format("{}.{}", shown_, key);
}

bool TableReader::read(std::string_view key, std::string& out) const {
    const toml::node* node = find(key);
    if (node == nullptr) return false;
    auto text = read_string(*node, name(key), problems_);
    if (text) out = std::move(*text);
    return text.has_value();
}

bool TableReader::read(std::string_view key, bool& out) const {
    const toml::node* node = find(key);
    if (node == nullptr) return false;
    if (!node->is_boolean()) {
        problems_.add_type(*node, name(key), "true or false");
        return false;
    }
    out = node->as_boolean()->get();
    return true;
}

bool TableReader::read(std::string_view key, std::int64_t& out) const {
    const toml::node* node = find(key);
    if (node == nullptr) return false;
    if (!node->is_integer()) {
        problems_.add_type(*node, name(key), "an integer");
        return false;
    }
    out = node->as_integer()->get();
    return true;
}

bool TableReader::read(std::string_view key, std::vector<std::string>& out) const {
    const toml::node* node = find(key);
    if (node == nullptr) return false;
    out = read_strings(*node, name(key), problems_);
    return true;
}

const toml::table* TableReader::table(std::string_view key) const {
    const toml::node* node = find(key);
    if (node == nullptr) return nullptr;
    if (!node->is_table()) problems_.add_type(*node, name(key), "a table");
    return node->as_table();
}

}  // namespace alca::config
