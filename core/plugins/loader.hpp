// core/plugins/loader.hpp - from a plugin's name to an object of an SDK interface.
#ifndef ALCA_CORE_PLUGINS_LOADER_HPP
#define ALCA_CORE_PLUGINS_LOADER_HPP

#include <memory>
#include <string_view>

#include "alca/call.hpp"
#include "alca/result.hpp"
#include "core/os/crash.hpp"
#include "core/plugins/catalog.hpp"

namespace alca {
class Runtime;
class Firewall;
class Presets;
}  // namespace alca

namespace alca::plugins {

// Loads plugins of one catalog, each at first use, and never unloads them. What it returns must
// not outlive it. Every call into a plugin leaves the plugin's name in the breadcrumb.
//
// name: as in the configuration. runtime("docker") is the plugin "runtime-docker" or, when there
// is none, "docker"; firewall and presets alike with their own prefix.
// settings: a JSON object for the plugin, "" for none. call: log and cancel while it is made.
//
// Errors: not_found (no such plugin, says which there are), denied (not trusted), invalid (wrong
// ABI; manifest and library differ; does not provide the interface), failed (cannot be loaded), or
// what the plugin's own `create` said.
class Loader {
  public:
    // Borrows `breadcrumb`.
    Loader(Catalog catalog, os::Breadcrumb& breadcrumb);
    ~Loader();
    Loader(const Loader&) = delete;
    Loader& operator=(const Loader&) = delete;

    [[nodiscard]] const Catalog& catalog() const;

    [[nodiscard]] Result<std::unique_ptr<Runtime>> runtime(const Call& call, std::string_view name,
                                                           std::string_view settings = {});
    [[nodiscard]] Result<std::unique_ptr<Firewall>> firewall(const Call& call,
                                                             std::string_view name,
                                                             std::string_view settings = {});
    [[nodiscard]] Result<std::unique_ptr<Presets>> presets(const Call& call, std::string_view name,
                                                           std::string_view settings = {});

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace alca::plugins

#endif
