// core/plugins/instance.hpp - one instance of a loaded plugin: the only place that calls into one.
#ifndef ALCA_CORE_PLUGINS_INSTANCE_HPP
#define ALCA_CORE_PLUGINS_INSTANCE_HPP

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "alca/call.hpp"
#include "alca/json.hpp"
#include "alca/plugin.h"
#include "alca/result.hpp"
#include "core/os/crash.hpp"

// The function in a slot of an interface table, or nullptr when the plugin's table has none.
#define ALCA_SLOT(table, member) (ALCA_HAS(table, member) ? (table)->member : nullptr)

namespace alca::plugins {

// A library in memory, checked against its manifest. Owned by the Loader, never unloaded.
struct Library {
    std::string id;
    const alca_plugin* descriptor = nullptr;
};

// What a plugin answers is checked here: size, JSON, types. Whatever does not hold is an error
// that begins with "plugin ID: METHOD: "; what the plugin itself reports is passed on as it is.
class Instance {
  public:
    // Runs the plugin's create. Borrows `library` and `breadcrumb` for its life.
    [[nodiscard]] static Result<std::unique_ptr<Instance>> make(const Library& library,
                                                                os::Breadcrumb& breadcrumb,
                                                                const Call& call,
                                                                std::string_view settings);
    ~Instance();
    Instance(const Instance&) = delete;
    Instance& operator=(const Instance&) = delete;

    // Calls a method of data in, data out. method: nullptr is "not offered" (unsupported).
    // A method that succeeds without a reply has answered {}.
    [[nodiscard]] Result<Json> call(const Call& call, const char* name, alca_method method,
                                    const Json& request);

    // The same, and the answer as a struct of the SDK.
    template <class T>
    [[nodiscard]] Result<T> ask(const Call& host, const char* name, alca_method method,
                                const Json& request) {
        const auto json = call(host, name, method, request);
        if (!json) return fail(json.error());
        return checked(name, T::from_json(*json));
    }
    // The same, and one member of the answer.
    template <class T>
    [[nodiscard]] Result<T> ask_member(const Call& host, const char* name, alca_method method,
                                       const char* member) {
        const auto json = call(host, name, method, Json::object());
        if (!json) return fail(json.error());
        T value;
        JsonReader in(*json, "answer");
        in.require(member, value);
        return checked(name, in.done(std::move(value)));
    }
    [[nodiscard]] Result<void> tell(const Call& host, const char* name, alca_method method,
                                    const Json& request) {
        const auto json = call(host, name, method, request);
        if (!json) return fail(json.error());
        return {};
    }

    // Any function of the plugin; `function` gets self and the alca_call.
    using Function = std::function<alca_status(void*, const alca_call*)>;
    [[nodiscard]] Result<Json> run(const Call& call, const char* name, const Function& function);

    // "plugin ID: METHOD: what".
    [[nodiscard]] tl::unexpected<Error> broken(const char* name, std::string_view what) const;

  private:
    Instance(const Library& library, os::Breadcrumb& breadcrumb)
        : library_(library), breadcrumb_(breadcrumb) {}

    template <class T>
    [[nodiscard]] Result<T> checked(const char* name, Result<T> value) const {
        if (!value) return broken(name, value.error().message);
        return value;
    }

    const Library& library_;
    os::Breadcrumb& breadcrumb_;
    void* self_ = nullptr;
    bool is_made_ = false;
};

}  // namespace alca::plugins

#endif
