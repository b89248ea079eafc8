#include "core/plugins/catalog.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "alca/plugin.h"
#include "core/os/file.hpp"
#include "core/plugins/library_file.hpp"
#include "core/plugins/manifest.hpp"

namespace alca::plugins {
namespace {

void set_state(PluginInfo& info, PluginState state, std::string reason) {
    info.state = state;
    info.reason = std::move(reason);
}

void set_untrusted(PluginInfo& info, const Error& error) {
    set_state(info, error.code == Code::denied ? PluginState::not_trusted : PluginState::broken,
              error.message);
}

// The manifest is checked as the library is: who can write it can choose the library.
void read_plugin(PluginInfo& info, const TrustContext& context) {
    const auto trusted = check_trust(info.manifest_path, context);
    const auto text = os::read_file(info.manifest_path, kMaxManifestBytes);
    if (!text) {
        return trusted ? set_state(info, PluginState::broken, text.error().message)
                       : set_untrusted(info, trusted.error());
    }
    auto manifest = parse_manifest(*text, info.id);
    if (!manifest) {
        return set_state(
            info, PluginState::broken,
            fmt::format("{}: {}", info.manifest_path.string(), manifest.error().message));
    }
    info.version = manifest->version;
    if (manifest->abi != ALCA_ABI_MAJOR) {
        return set_state(info, PluginState::wrong_abi,
                         fmt::format("made for plugin ABI {}, this alca has ABI {}; install a "
                                     "version of the plugin for ABI {}",
                                     manifest->abi, ALCA_ABI_MAJOR, ALCA_ABI_MAJOR));
    }
    info.provides = std::move(manifest->provides);
    info.summary = std::move(manifest->summary);
    info.library_path = info.manifest_path.parent_path() / manifest->library;
    if (!trusted) return set_untrusted(info, trusted.error());
    auto library = check_trust(info.library_path, context);
    if (!library) return set_untrusted(info, library.error());
    if (auto whole = check_library_file(*library); !whole) {
        return set_state(info, PluginState::broken, whole.error().message);
    }
    info.library_path = *library;
    info.state = PluginState::ok;
}

// Names of the manifests in `directory`, sorted. One that does not exist has none.
std::vector<fs::path> manifests_in(const fs::path& directory, std::vector<std::string>& ignored) {
    std::vector<fs::path> names;
    std::error_code error;
    fs::directory_iterator entry(directory, error);
    while (!error && entry != fs::directory_iterator()) {
        fs::path name = entry->path().filename();
        if (name.native().ends_with(kManifestSuffix) &&
            name.native().size() > kManifestSuffix.size()) {
            names.push_back(std::move(name));
        }
        entry.increment(error);
    }
    if (error && error != std::errc::no_such_file_or_directory) {
        ignored.push_back(fmt::format("{}: {}", directory.string(), error.message()));
    }
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace

std::string_view to_string(PluginState state) {
    switch (state) {
        case PluginState::ok:
            return "ok";
        case PluginState::not_trusted:
            return "not trusted";
        case PluginState::wrong_abi:
            return "wrong ABI";
        case PluginState::shadowed:
            return "shadowed";
        case PluginState::broken:
            break;
    }
    return "broken";
}

const PluginInfo* Catalog::find(std::string_view id) const {
    const auto found = std::find_if(plugins.begin(), plugins.end(),
                                    [id](const PluginInfo& info) { return info.id == id; });
    return found == plugins.end() ? nullptr : &*found;
}

std::vector<const PluginInfo*> Catalog::providers(std::string_view interface_id) const {
    std::vector<const PluginInfo*> found;
    for (const PluginInfo& info : plugins) {
        if (info.state == PluginState::ok && std::find(info.provides.begin(), info.provides.end(),
                                                       interface_id) != info.provides.end()) {
            found.push_back(&info);
        }
    }
    return found;
}

Catalog scan(const SearchPath& path, const TrustContext& context) {
    Catalog catalog{{}, path.ignored};
    for (const fs::path& directory : path.directories) {
        for (const fs::path& name : manifests_in(directory, catalog.ignored)) {
            PluginInfo info;
            info.id = name.native().substr(0, name.native().size() - kManifestSuffix.size());
            info.manifest_path = directory / name;
            const PluginInfo* first = catalog.find(info.id);
            const std::string winner = first != nullptr ? first->manifest_path.string() : "";
            read_plugin(info, context);
            if (first != nullptr) {
                set_state(info, PluginState::shadowed, fmt::format("{} comes first", winner));
            }
            catalog.plugins.push_back(std::move(info));
        }
    }
    return catalog;
}

}  // namespace alca::plugins
