// agent_presets.hpp - alca.presets/1 from the presets that are built in.
#ifndef ALCA_PLUGINS_AGENT_PRESETS_AGENT_PRESETS_HPP
#define ALCA_PLUGINS_AGENT_PRESETS_AGENT_PRESETS_HPP

#include <memory>
#include <utility>
#include <vector>

#include "alca/presets.hpp"
#include "render.hpp"

namespace alca::presets {

class AgentPresets final : public Presets {
  public:
    // No settings. Errors: invalid (a built-in preset is malformed: a fault of the build).
    [[nodiscard]] static Result<std::unique_ptr<AgentPresets>> make(const Json& settings);

    [[nodiscard]] Result<std::vector<PresetInfo>> list(const Call& call) override;
    [[nodiscard]] Result<PresetFiles> render(const Call& call,
                                             const PresetRequest& request) override;

  private:
    explicit AgentPresets(std::vector<Preset> presets) : presets_(std::move(presets)) {}
    std::vector<Preset> presets_;
};

}  // namespace alca::presets

#endif
