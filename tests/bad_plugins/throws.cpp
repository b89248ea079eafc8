// A plugin of the C++ layer that throws what its setting says: nothing of it may leave the plugin.
#include <stdexcept>

#include "alca/plugin.hpp"

namespace {

class Thrower final : public alca::Presets {
  public:
    static alca::Result<std::unique_ptr<Thrower>> make(const alca::Json& settings) {
        if (settings.contains("make")) throw std::runtime_error("thrown by make");
        return std::make_unique<Thrower>();
    }
    alca::Result<std::vector<alca::PresetInfo>> list(const alca::Call&) override {
        throw std::runtime_error("thrown by list");
    }
    alca::Result<alca::PresetFiles> render(const alca::Call&, const alca::PresetRequest&) override {
        throw 42;
    }
};

}  // namespace

ALCA_PLUGIN(Thrower)
