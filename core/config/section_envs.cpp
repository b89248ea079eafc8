#include <fmt/format.h>

#include <algorithm>

#include "core/config/sections.hpp"
#include "core/config/text.hpp"

namespace alca::config {
namespace {

void read_one(std::string_view name, const toml::node& node, Reading& reading) {
    const std::string shown = fmt::format("envs.{}", printable(name));
    EnvSetting setting;
    setting.position = position_of(node);
    if (node.is_string()) {
        auto text = read_string(node, shown, reading.problems);
        if (!text) return;
        setting.value = std::move(*text);
    } else if (node.is_table()) {
        const TableReader table(*node.as_table(), "envs.<NAME>", shown, reading.problems);
        table.read("value", setting.value);
        table.read("override_on_enter", setting.override_on_enter);
    } else {
        return reading.problems.add_type(node, shown,
                                         "a string or a table {value, override_on_enter}");
    }
    reading.config.envs.insert_or_assign(std::string(name), std::move(setting));
}

}  // namespace

const std::vector<std::string_view>& builtin_environment() {
    static const std::vector<std::string_view> kNames{
        "TERM",     "COLORTERM",   "LANG",        "LC_ALL",     "LC_COLLATE",
        "LC_CTYPE", "LC_MESSAGES", "LC_MONETARY", "LC_NUMERIC", "LC_TIME"};
    return kNames;
}

void read_envs(const TableReader& file, Reading& reading) {
    for (const std::string_view name : builtin_environment()) {
        // Empty when the host has none; then the sandbox has none either.
        EnvSetting setting{fmt::format("${{{}:-}}", name), true, {}};
        reading.config.envs.emplace(name, std::move(setting));
    }
    const toml::table* table = file.table("envs");
    if (table == nullptr) return;
    for (const auto& [key, node] : *table) {
        const std::string_view name = key.str();
        const bool control =
            std::any_of(name.begin(), name.end(), [](char c) { return c >= 0 && c < ' '; });
        if (name.empty() || name.find('=') != std::string_view::npos || control) {
            reading.problems.add(
                position_of(key),
                fmt::format("envs: {} cannot be the name of a variable", in_quotes(name)));
            continue;
        }
        read_one(name, node, reading);
    }
}

}  // namespace alca::config
