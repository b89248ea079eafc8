#include "core/plugins/loader.hpp"

// Boost.DLL 1.74 is used in this file only. Its traps, each seen:
// - without this macro it needs libboost_filesystem;
#define BOOST_DLL_USE_STD_FS
// - a name without a slash is loaded from the current directory: only absolute paths here;
// - its default mode is lazy: rtld_now makes a missing symbol an error at load, with a message;
// - the error_code overload says only "bad file descriptor": the throwing one carries dlerror's
//   text;
// - append_decorations and search_system_folders try other names and places: never used.
#include <fmt/format.h>

#include <algorithm>
#include <boost/dll/shared_library.hpp>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "alca/firewall.hpp"
#include "alca/presets.hpp"
#include "alca/runtime.hpp"
#include "core/plugins/firewall_proxy.hpp"
#include "core/plugins/instance.hpp"
#include "core/plugins/presets_proxy.hpp"
#include "core/plugins/runtime_proxy.hpp"

namespace alca::plugins {
namespace {

constexpr const char* kEntry = "alca_plugin_v1";

tl::unexpected<Error> mismatch(const PluginInfo& info, std::string_view what, std::string_view ours,
                               std::string_view theirs) {
    return fail(Code::invalid,
                fmt::format("plugin {}: its manifest says {} \"{}\", its library says \"{}\"; "
                            "install both from the same build",
                            info.id, what, ours, theirs));
}

// Of ABI 1.0: up to `destroy`. A later member is read through ALCA_HAS, so that plugins of 1.0
// stay.
constexpr std::size_t kDescriptorBytes10 =
    offsetof(alca_plugin, destroy) + sizeof(alca_plugin::destroy);

tl::unexpected<Error> malformed(const PluginInfo& info, std::string_view what) {
    return fail(Code::invalid,
                fmt::format("plugin {}: {} {}; ask its author for a build that follows the plugin "
                            "ABI {}",
                            info.id, info.library_path.string(), what, ALCA_ABI_MAJOR));
}

// The descriptor must say what the manifest says: the manifest is what was shown and chosen.
Result<void> check_descriptor(const PluginInfo& info, const alca_plugin* plugin) {
    if (plugin == nullptr) return malformed(info, "has no descriptor");
    if (plugin->size < kDescriptorBytes10) return malformed(info, "has a descriptor too small");
    if (plugin->id == nullptr || plugin->version == nullptr || plugin->provides == nullptr ||
        plugin->query == nullptr || plugin->create == nullptr || plugin->destroy == nullptr) {
        return malformed(info, "has a descriptor with empty members");
    }
    if (info.id != plugin->id) return mismatch(info, "id", info.id, plugin->id);
    if (info.version != plugin->version) {
        return mismatch(info, "version", info.version, plugin->version);
    }
    std::set<std::string> provided;
    for (const char* const* id = plugin->provides; *id != nullptr; ++id) provided.insert(*id);
    if (provided != std::set<std::string>(info.provides.begin(), info.provides.end())) {
        return mismatch(info, "provides", fmt::format("{}", fmt::join(info.provides, " ")),
                        fmt::format("{}", fmt::join(provided, " ")));
    }
    return {};
}

std::string names_of(const std::vector<const PluginInfo*>& plugins) {
    std::vector<std::string_view> names;
    names.reserve(plugins.size());
    for (const PluginInfo* info : plugins) names.push_back(info->id);
    return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

struct Loader::State {
    Catalog catalog;
    os::Breadcrumb& breadcrumb;
    std::vector<boost::dll::shared_library> handles;  // also of refused ones: nothing is unloaded
    std::map<std::string, Library, std::less<>> loaded;  // by id

    // `kind` is the interface's short name: "runtime" for alca.runtime/1.
    Result<const PluginInfo*> choose(std::string_view kind, std::string_view interface_id,
                                     std::string_view name) const {
        const PluginInfo* info = catalog.find(fmt::format("{}-{}", kind, name));
        if (info == nullptr) info = catalog.find(name);
        if (info == nullptr) {
            return fail(Code::not_found,
                        fmt::format("no {} plugin \"{}\"; there are: {}; see alca plugins list",
                                    kind, name, names_of(catalog.providers(interface_id))));
        }
        if (info->state != PluginState::ok) {
            return fail(
                info->state == PluginState::not_trusted ? Code::denied : Code::invalid,
                fmt::format("plugin {} is {}: {}", info->id, to_string(info->state), info->reason));
        }
        if (std::find(info->provides.begin(), info->provides.end(), interface_id) ==
            info->provides.end()) {
            return fail(Code::invalid,
                        fmt::format("plugin {} does not provide {}; those that do: {}", info->id,
                                    interface_id, names_of(catalog.providers(interface_id))));
        }
        return info;
    }

    // Loads the library and calls its entry function. Both run code of the plugin.
    Result<const alca_plugin*> open(const PluginInfo& info) {
        const os::Breadcrumb::Scope scope(breadcrumb, info.id.c_str());
        try {
            boost::dll::shared_library& handle = handles.emplace_back();
            handle.load(info.library_path,
                        boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local);
            if (!handle.has(kEntry)) return malformed(info, fmt::format("exports no {}", kEntry));
            return handle.get<const alca_plugin*()>(kEntry)();
        } catch (const std::exception& exception) {
            return fail(fmt::format("plugin {} cannot be loaded: {}", info.id, exception.what()));
        } catch (...) {
            return fail(fmt::format("plugin {} threw something from its entry function", info.id));
        }
    }

    Result<const Library*> load(const PluginInfo& info) {
        if (const auto found = loaded.find(info.id); found != loaded.end()) return &found->second;
        const auto descriptor = open(info);
        if (!descriptor) return fail(descriptor.error());
        if (auto valid = check_descriptor(info, *descriptor); !valid) return fail(valid.error());
        return &loaded.emplace(info.id, Library{info.id, *descriptor}).first->second;
    }

    template <class Interface, class Proxy, class Table>
    Result<std::unique_ptr<Interface>> make(std::string_view kind, const char* interface_id,
                                            std::string_view name, const Call& call,
                                            std::string_view settings) {
        const auto info = choose(kind, interface_id, name);
        if (!info) return fail(info.error());
        const auto library = load(**info);
        if (!library) return fail(library.error());
        const void* table = nullptr;
        {
            const os::Breadcrumb::Scope scope(breadcrumb, (*library)->id.c_str());
            table = (*library)->descriptor->query(interface_id);
        }
        if (table == nullptr) {
            return malformed(**info,
                             fmt::format("names {} but does not answer for it", interface_id));
        }
        auto instance = Instance::make(**library, breadcrumb, call, settings);
        if (!instance) return fail(instance.error());
        return std::make_unique<Proxy>(std::move(*instance), *static_cast<const Table*>(table));
    }
};

Loader::Loader(Catalog catalog, os::Breadcrumb& breadcrumb)
    : state_(new State{std::move(catalog), breadcrumb, {}, {}}) {}

Loader::~Loader() = default;

const Catalog& Loader::catalog() const { return state_->catalog; }

Result<std::unique_ptr<Runtime>> Loader::runtime(const Call& call, std::string_view name,
                                                 std::string_view settings) {
    return state_->make<Runtime, RuntimeProxy, alca_runtime_1>("runtime", ALCA_RUNTIME_1, name,
                                                               call, settings);
}

Result<std::unique_ptr<Firewall>> Loader::firewall(const Call& call, std::string_view name,
                                                   std::string_view settings) {
    return state_->make<Firewall, FirewallProxy, alca_firewall_1>("firewall", ALCA_FIREWALL_1, name,
                                                                  call, settings);
}

Result<std::unique_ptr<Presets>> Loader::presets(const Call& call, std::string_view name,
                                                 std::string_view settings) {
    return state_->make<Presets, PresetsProxy, alca_presets_1>("presets", ALCA_PRESETS_1, name,
                                                               call, settings);
}

}  // namespace alca::plugins
