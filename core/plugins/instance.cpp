#include "core/plugins/instance.hpp"

#include <fmt/format.h>

#include "core/plugins/call_bridge.hpp"

namespace alca::plugins {
namespace {

// noexcept: a raw plugin that lets an exception out ends the process here, and the breadcrumb
// names it. Unwinding through frames of another compiler's runtime is not defined.
alca_status enter(const Instance::Function& function, void* self, const alca_call* call) noexcept {
    return function(self, call);
}

Code code_of(alca_status status) {
    return status <= ALCA_FAILED && status >= ALCA_CANCELLED ? static_cast<Code>(status)
                                                             : Code::failed;
}

}  // namespace

Result<std::unique_ptr<Instance>> Instance::make(const Library& library, os::Breadcrumb& breadcrumb,
                                                 const Call& call, std::string_view settings) {
    std::unique_ptr<Instance> instance(new Instance(library, breadcrumb));
    const std::string_view text = settings.empty() ? "{}" : settings;
    const auto made =
        instance->run(call, "create", [&](void*, const alca_call* abi) -> alca_status {
            return library.descriptor->create(abi, {text.data(), text.size()}, &instance->self_);
        });
    if (!made) return fail(made.error());
    instance->is_made_ = true;
    return instance;
}

Instance::~Instance() {
    if (!is_made_) return;
    const os::Breadcrumb::Scope scope(breadcrumb_, library_.id.c_str());
    library_.descriptor->destroy(self_);
}

Result<Json> Instance::call(const Call& call, const char* name, alca_method method,
                            const Json& request) {
    if (method == nullptr) {
        return fail(Code::unsupported,
                    fmt::format("plugin {} does not offer {}; install a later version of it",
                                library_.id, name));
    }
    const std::string text = dump(request);
    return run(call, name, [&](void* self, const alca_call* abi) {
        return method(self, abi, {text.data(), text.size()});
    });
}

Result<Json> Instance::run(const Call& call, const char* name, const Function& function) {
    CallBridge bridge(call, library_.id);
    alca_status status = ALCA_FAILED;
    {
        const os::Breadcrumb::Scope scope(breadcrumb_, library_.id.c_str());
        status = enter(function, self_, bridge.abi());
    }
    CallBridge::Answer answer = bridge.take();
    if (status != ALCA_OK) {
        if (answer.message.empty()) {
            answer.message =
                fmt::format("plugin {}: {} failed with code {}", library_.id, name, status);
        }
        return fail(code_of(status), std::move(answer.message));
    }
    if (answer.is_too_large) {
        return broken(name, fmt::format("answer is larger than {} bytes", kMaxReplyBytes));
    }
    if (!answer.reply) return Json::object();
    auto json = parse_object(*answer.reply);
    if (!json) return broken(name, fmt::format("answer: {}", json.error().message));
    return json;
}

tl::unexpected<Error> Instance::broken(const char* name, std::string_view what) const {
    return fail(Code::failed, fmt::format("plugin {}: {}: {}", library_.id, name, what));
}

}  // namespace alca::plugins
