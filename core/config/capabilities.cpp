#include "core/config/capabilities.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "core/config/keys.hpp"
#include "core/config/text.hpp"
#include "core/os/capabilities.hpp"

namespace alca::config {
namespace {

bool contains(const std::vector<std::string>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

const std::vector<std::string_view>& all_capabilities() {
    static const std::vector<std::string_view> kAll = [] {
        const auto names = os::capability_names();
        std::vector<std::string_view> sorted(names.begin(), names.end());
        std::sort(sorted.begin(), sorted.end());
        return sorted;
    }();
    return kAll;
}

const std::vector<std::string_view>& default_capabilities() {
    static const std::vector<std::string_view> kDefault{"CHOWN", "DAC_OVERRIDE", "FOWNER",
                                                        "KILL",  "SETGID",       "SETUID"};
    return kDefault;
}

const std::vector<std::string_view>& engine_capabilities() {
    static const std::vector<std::string_view> kEngine{
        "AUDIT_WRITE",      "CHOWN",   "DAC_OVERRIDE", "FOWNER",  "FSETID", "KILL",      "MKNOD",
        "NET_BIND_SERVICE", "SETFCAP", "SETGID",       "SETPCAP", "SETUID", "SYS_CHROOT"};
    return kEngine;
}

Result<std::string> parse_capability(std::string_view text) {
    std::string name;
    for (const char c : text)
        name += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    if (name.starts_with("CAP_")) name.erase(0, 4);
    const auto& all = all_capabilities();
    if (name == "ALL" || std::find(all.begin(), all.end(), name) != all.end()) return name;
    const std::string_view meant = nearest(name, all);
    return fail(Code::invalid,
                fmt::format("{} is not a capability{}", in_quotes(text),
                            meant.empty() ? std::string("; see: man 7 capabilities")
                                          : fmt::format("; did you mean \"{}\"?", meant)));
}

std::set<std::string> effective_capabilities(const std::vector<std::string>& drop,
                                             const std::vector<std::string>& add) {
    const bool all = contains(add, "ALL");
    const auto& start = all ? all_capabilities() : engine_capabilities();
    std::set<std::string> set;
    if (all || !contains(drop, "ALL")) {
        for (const std::string_view name : start) {
            if (!contains(drop, name)) set.emplace(name);
        }
    }
    for (const std::string& name : add) {
        if (name != "ALL") set.insert(name);
    }
    return set;
}

}  // namespace alca::config
