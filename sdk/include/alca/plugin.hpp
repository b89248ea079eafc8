// alca/plugin.hpp - writing a plugin in C++: a class per interface and one line that exports them.
//
//   struct MyRuntime final : alca::Runtime {
//       static alca::Result<std::unique_ptr<MyRuntime>> make(const alca::Json& settings);
//       alca::Result<alca::Created> create(const alca::Call&, const alca::SandboxSpec&) override;
//       ...
//   };
//   ALCA_PLUGIN(MyRuntime)                 // or ALCA_PLUGIN(MyRuntime, MyFirewall)
//
// The base class says which interface a class provides: alca::Runtime, Firewall or Presets. The
// order is that of PROVIDES in alca_add_plugin(), which also gives id and version.
//
// make: called once per instance with the plugin's settings (a JSON object, {} when there are
// none). It checks the settings and stays cheap: whether an engine is there is for `probe` to say.
// Several classes of one plugin are made together, each from the same settings.
//
// Exceptions end here: the host sees ALCA_FAILED with the exception's text.
#ifndef ALCA_PLUGIN_HPP
#define ALCA_PLUGIN_HPP

#include <array>
#include <memory>
#include <string_view>
#include <tuple>
#include <utility>

#include "alca/detail/interface_tables.hpp"
#include "alca/detail/trampoline.hpp"

namespace alca::detail {

// The classes of one plugin: its descriptor's functions, and what one instance consists of.
template <class... Classes>
class PluginSet {
  public:
    template <class T>
    [[nodiscard]] static T& get(void* self) {
        return *std::get<std::unique_ptr<T>>(static_cast<PluginSet*>(self)->parts_);
    }

    [[nodiscard]] static const void* query(const char* interface_id) noexcept {
        const std::string_view wanted(interface_id);
        const void* table = nullptr;
        static_cast<void>(((wanted == Table<PluginSet, Classes>::kId &&
                            (table = &Table<PluginSet, Classes>::kTable) != nullptr) ||
                           ...));
        return table;
    }

    [[nodiscard]] static alca_status create(const alca_call* call, alca_str settings,
                                            void** self) noexcept {
        return guarded(*call, [&]() -> alca_status {
            auto json = settings.len == 0 ? Json::object() : parse_object(from_abi(settings));
            if (!json) return send_error(*call, ALCA_INVALID, "settings: " + json.error().message);
            auto set = std::make_unique<PluginSet>();
            Error error;
            if (!(set->template make<Classes>(*json, error) && ...)) {
                return send_error(*call, error);
            }
            *self = set.release();
            return ALCA_OK;
        });
    }

    static void destroy(void* self) noexcept { delete static_cast<PluginSet*>(self); }

    // Interface ids separated by blanks, to compare with ALCA_PLUGIN_PROVIDES at compile time.
    [[nodiscard]] static constexpr bool provides_is(std::string_view text) {
        for (const std::string_view id : {std::string_view(Table<PluginSet, Classes>::kId)...}) {
            if (text.substr(0, id.size()) != id) return false;
            text.remove_prefix(id.size());
            if (!text.empty() && text.front() != ' ') return false;
            if (!text.empty()) text.remove_prefix(1);
        }
        return text.empty();
    }

    static constexpr std::array<const char*, sizeof...(Classes) + 1> kProvides{
        Table<PluginSet, Classes>::kId..., nullptr};

  private:
    template <class T>
    [[nodiscard]] bool make(const Json& settings, Error& error) {
        Result<std::unique_ptr<T>> made = T::make(settings);
        if (!made) {
            error = std::move(made.error());
            return false;
        }
        std::get<std::unique_ptr<T>>(parts_) = std::move(*made);
        return true;
    }

    std::tuple<std::unique_ptr<Classes>...> parts_;
};

}  // namespace alca::detail

// Exports the plugin. Once, at namespace scope, in one source file.
#define ALCA_PLUGIN(...)                                                                     \
    static_assert(::alca::detail::PluginSet<__VA_ARGS__>::provides_is(ALCA_PLUGIN_PROVIDES), \
                  "PROVIDES of alca_add_plugin() and the classes of ALCA_PLUGIN() differ");  \
    extern "C" ALCA_EXPORT const alca_plugin* alca_plugin_v1(void) {                         \
        using Set = ::alca::detail::PluginSet<__VA_ARGS__>;                                  \
        static constexpr alca_plugin kPlugin{                                                \
            sizeof(alca_plugin),   ALCA_ABI_MINOR, ALCA_PLUGIN_ID, ALCA_PLUGIN_VERSION,      \
            Set::kProvides.data(), Set::query,     Set::create,    Set::destroy};            \
        return &kPlugin;                                                                     \
    }

#endif
