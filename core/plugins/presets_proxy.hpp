// core/plugins/presets_proxy.hpp - alca::Presets over the C table of a plugin.
#ifndef ALCA_CORE_PLUGINS_PRESETS_PROXY_HPP
#define ALCA_CORE_PLUGINS_PRESETS_PROXY_HPP

#include <memory>
#include <vector>

#include "alca/presets.hpp"
#include "core/plugins/instance.hpp"

namespace alca::plugins {

class PresetsProxy final : public Presets {
  public:
    // Borrows `table`, which is static in the plugin.
    PresetsProxy(std::unique_ptr<Instance> instance, const alca_presets_1& table)
        : instance_(std::move(instance)), table_(&table) {}

    [[nodiscard]] Result<std::vector<PresetInfo>> list(const Call& call) override;
    [[nodiscard]] Result<PresetFiles> render(const Call& call,
                                             const PresetRequest& request) override;

  private:
    std::unique_ptr<Instance> instance_;
    const alca_presets_1* table_;
};

}  // namespace alca::plugins

#endif
