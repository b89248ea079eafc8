#include "alca/plugin.hpp"
#include "agent_presets.hpp"

ALCA_PLUGIN(alca::presets::AgentPresets)
