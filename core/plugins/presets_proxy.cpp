#include "core/plugins/presets_proxy.hpp"

namespace alca::plugins {

Result<std::vector<PresetInfo>> PresetsProxy::list(const Call& call) {
    return instance_->ask_member<std::vector<PresetInfo>>(call, "list", ALCA_SLOT(table_, list),
                                                          "presets");
}

Result<PresetFiles> PresetsProxy::render(const Call& call, const PresetRequest& request) {
    return instance_->ask<PresetFiles>(call, "render", ALCA_SLOT(table_, render), Json(request));
}

}  // namespace alca::plugins
