#include "agent_presets.hpp"

#include <string>

#include "preset_texts.hpp"

namespace alca::presets {

Result<std::unique_ptr<AgentPresets>> AgentPresets::make(const Json& settings) {
    static_cast<void>(settings);
    std::vector<Preset> presets;
    for (const std::string_view text : preset_texts()) {
        auto preset = parse_preset(text);
        if (!preset) return fail(preset.error());
        presets.push_back(std::move(*preset));
    }
    return std::unique_ptr<AgentPresets>(new AgentPresets(std::move(presets)));
}

Result<std::vector<PresetInfo>> AgentPresets::list(const Call& call) {
    static_cast<void>(call);
    std::vector<PresetInfo> infos;
    infos.reserve(presets_.size());
    for (const Preset& preset : presets_) infos.push_back(preset.info);
    return infos;
}

Result<PresetFiles> AgentPresets::render(const Call& call, const PresetRequest& request) {
    static_cast<void>(call);
    std::string names;
    for (const Preset& preset : presets_) {
        if (preset.info.name == request.name) {
            PresetFiles files = preset.files;
            auto config = with_image(std::move(files.config), request.image);
            if (!config) return fail(config.error());
            files.config = std::move(*config);
            return files;
        }
        names += (names.empty() ? "" : ", ") + preset.info.name;
    }
    return fail(Code::not_found, "no preset \"" + request.name + "\"; there are: " + names);
}

}  // namespace alca::presets
