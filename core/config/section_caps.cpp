#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/config/capabilities.hpp"
#include "core/config/sections.hpp"

namespace alca::config {
namespace {

// Parsed names; those that are not known become problems.
std::vector<std::string> read_names(const toml::node& node, std::string_view what,
                                    Problems& problems) {
    std::vector<std::string> names;
    const toml::array* array = node.as_array();
    if (array == nullptr) {
        problems.add_type(node, what, "an array of strings");
        return names;
    }
    for (std::size_t i = 0; i < array->size(); ++i) {
        const std::string place = fmt::format("{}[{}]", what, i);
        const auto text = read_string((*array)[i], place, problems);
        if (!text) continue;
        auto name = parse_capability(*text);
        if (name) {
            names.push_back(std::move(*name));
        } else {
            problems.add(position_of((*array)[i]),
                         fmt::format("{}: {}", place, name.error().message));
        }
    }
    return names;
}

std::set<std::string> read_table(const toml::table& table, Problems& problems) {
    const TableReader caps(table, "caps", "caps", problems);
    std::vector<std::string> drop;
    std::vector<std::string> add;
    if (const auto* node = caps.find("drop")) drop = read_names(*node, "caps.drop", problems);
    if (const auto* node = caps.find("add")) add = read_names(*node, "caps.add", problems);
    if (drop.empty() && add.empty()) {
        const auto& usual = default_capabilities();
        return {usual.begin(), usual.end()};
    }
    for (const std::string& name : add) {
        if (name == "ALL" || std::find(drop.begin(), drop.end(), name) == drop.end()) continue;
        problems.add(caps.position(),
                     fmt::format("caps: {} is in both drop and add; keep one", name));
    }
    return effective_capabilities(drop, add);
}

}  // namespace

void read_caps(const TableReader& file, Reading& reading) {
    const auto& usual = default_capabilities();
    std::set<std::string> set(usual.begin(), usual.end());
    if (const toml::node* node = file.find("caps"); node == nullptr) {
        // The six.
    } else if (node->is_array()) {
        const auto more = read_names(*node, "caps", reading.problems);
        set.merge(effective_capabilities({"ALL"}, more));
        if (std::find(more.begin(), more.end(), "ALL") != more.end()) {
            set.insert(all_capabilities().begin(), all_capabilities().end());
        }
    } else if (node->is_table()) {
        set = read_table(*node->as_table(), reading.problems);
    } else {
        reading.problems.add_type(*node, "caps", "an array, or a table {drop, add}");
    }
    reading.config.caps.assign(set.begin(), set.end());
}

}  // namespace alca::config
