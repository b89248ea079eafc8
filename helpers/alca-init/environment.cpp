#include "environment.hpp"

#include <optional>

#include "passwd.hpp"

namespace alca::init {
namespace {

std::string_view name_of(std::string_view entry) { return entry.substr(0, entry.find('=')); }

bool has_variable(const StringList& environment, std::string_view name) {
    return find_variable(environment, name) != nullptr;
}

// Appends "NAME=value\0" to `storage`, which has room for it.
bool add_variable(std::string_view name, std::string_view value, Bytes& storage,
                  StringList& merged) {
    const std::size_t start = storage.size();
    if (!storage.append(name) || !storage.append("=") || !storage.append(value) ||
        !storage.append(std::string_view("\0", 1)))
        return false;
    merged.add(storage.data() + start);
    return true;
}

}  // namespace

const char* find_variable(const StringList& environment, std::string_view name) {
    for (const char* entry : environment.items()) {
        if (name_of(entry) == name) return entry + name.size() + 1;
    }
    return nullptr;
}

bool set_variable(StringList& environment, char* entry) {
    for (std::size_t i = 0; i < environment.size(); ++i) {
        if (name_of(environment.items()[i]) != name_of(entry)) continue;
        environment.replace(i, entry);
        return true;
    }
    if (!environment.reserve(environment.size() + 1)) return false;
    environment.add(entry);
    return true;
}

bool merge_environment(char* const* own, const StringList& wanted, std::string_view passwd,
                       std::uint32_t uid, Bytes& storage, StringList& merged) {
    std::size_t own_count = 0;
    while (own[own_count] != nullptr) ++own_count;
    if (!merged.reserve(wanted.size() + own_count + 2)) return false;
    for (char* entry : wanted.items()) merged.add(entry);
    for (std::size_t i = 0; i < own_count; ++i) {
        const std::string_view entry(own[i]);
        if (entry != "HOME=/" && !has_variable(wanted, name_of(entry))) merged.add(own[i]);
    }

    const std::optional<PasswdEntry> user = find_user(passwd, uid);
    const std::string_view home = user ? user->home : std::string_view("/");
    const std::string_view name = user ? user->name : std::string_view();
    // Reserved at once: a later growth would move what `merged` points to.
    if (!storage.reserve(home.size() + name.size() + std::string_view("HOME=?USER=?").size()))
        return false;
    if (!has_variable(merged, "HOME") && !add_variable("HOME", home, storage, merged)) return false;
    return name.empty() || has_variable(merged, "USER") ||
           add_variable("USER", name, storage, merged);
}

}  // namespace alca::init
