#include "core/project/drift.hpp"

#include <fmt/format.h>

#include <array>
#include <string_view>

namespace alca::project {
namespace {

struct Entry {
    std::string_view label;
    const char* pointer;  // into config::applied_form
    bool shown;           // old and new value are short and say something
};

constexpr std::array kEntries{
    Entry{"Runtime", "/runtime", true},
    Entry{"Image", "/image", true},
    Entry{"User", "/user", true},
    Entry{"Stop_timeout", "/stop_timeout", true},
    Entry{"Mounts", "/mounts", false},
    Entry{"Workdir", "/workdir", true},
    Entry{"Commands.up", "/commands/up", false},
    Entry{"Resources.memory", "/resources/memory", true},
    Entry{"Resources.cpus", "/resources/cpus", true},
    Entry{"Resources.pids", "/resources/pids", true},
    Entry{"Envs", "/envs", false},
    Entry{"Ports", "/network/ports", false},
    Entry{"Network.ipv6", "/network/ipv6", true},
    Entry{"Caps", "/caps", false},
};

std::string shown(const Json& value) {
    if (value.is_string() && !value.get_ref<const std::string&>().empty()) {
        return value.get<std::string>();
    }
    const bool none = value.is_string() || value.is_null() || value == Json(0);
    return none ? "(none)" : dump(value);
}

}  // namespace

std::vector<Change> drift(const Json& applied, const Json& wanted) {
    std::vector<Change> changes;
    if (!applied.is_object()) return changes;
    for (const Entry& entry : kEntries) {
        const Json::json_pointer pointer(entry.pointer);
        // A key that the alca of then did not know had no effect then.
        if (!applied.contains(pointer) || !wanted.contains(pointer)) continue;
        const Json& before = applied.at(pointer);
        const Json& now = wanted.at(pointer);
        if (before == now) continue;
        Change change;
        change.key = entry.label;
        if (entry.shown) {
            change.old_value = shown(before);
            change.new_value = shown(now);
        }
        changes.push_back(std::move(change));
    }
    return changes;
}

std::string to_line(const Change& change) {
    if (change.old_value.empty() && change.new_value.empty()) {
        return fmt::format("{}: changed", change.key);
    }
    return fmt::format("{}: {} → {}", change.key, change.old_value, change.new_value);
}

}  // namespace alca::project
