// core/plugins/catalog.hpp - the plugins that are there, without running code of any.
#ifndef ALCA_CORE_PLUGINS_CATALOG_HPP
#define ALCA_CORE_PLUGINS_CATALOG_HPP

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/plugins/search_path.hpp"
#include "core/plugins/trust.hpp"

namespace alca::plugins {

enum class PluginState {
    ok,
    not_trusted,  // somebody else could write its code
    wrong_abi,    // made for another major version of the ABI
    shadowed,     // an earlier directory has a plugin of that id
    broken,       // manifest or library cannot be read
};
[[nodiscard]] std::string_view to_string(PluginState state);  // "ok", "not trusted", ...

struct PluginInfo {
    std::string id;  // the name of the manifest file
    std::string version;
    std::vector<std::string> provides;
    std::string summary;
    fs::path manifest_path;
    fs::path library_path;  // resolved when state is ok, else as named or empty
    PluginState state = PluginState::broken;
    std::string reason;  // for every state but ok: why, and what to do
};

struct Catalog {
    std::vector<PluginInfo> plugins;   // in the order of the search path, then by id
    std::vector<std::string> ignored;  // as in SearchPath, and directories that cannot be read

    // The plugin that counts for `id` (never a shadowed one), or nullptr.
    [[nodiscard]] const PluginInfo* find(std::string_view id) const;
    // Those with state ok that provide `interface_id`, such as "alca.runtime/1".
    [[nodiscard]] std::vector<const PluginInfo*> providers(std::string_view interface_id) const;
};

// Reads the manifests in `path`. A directory that does not exist is empty. The first plugin of an
// id counts even when it is broken or not trusted: falling back to another one of the same name
// would hide that.
[[nodiscard]] Catalog scan(const SearchPath& path, const TrustContext& context);

}  // namespace alca::plugins

#endif
