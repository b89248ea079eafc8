// Included by alca/plugin.hpp: the C table of each interface, filled for an author's class.
//
// Table<Set, T> exists for a T derived from an interface class. Set::get<T>(self) gives the T of
// one instance.
#ifndef ALCA_DETAIL_INTERFACE_TABLES_HPP
#define ALCA_DETAIL_INTERFACE_TABLES_HPP

#include <concepts>
#include <cstdint>

#include "alca/detail/trampoline.hpp"
#include "alca/firewall.hpp"
#include "alca/presets.hpp"
#include "alca/runtime.hpp"

namespace alca::detail {

template <class Set, class T>
struct Table;

template <class Set, std::derived_from<Runtime> T>
struct Table<Set, T> {
    static constexpr const char* kId = ALCA_RUNTIME_1;

    static alca_status probe(void* self, const alca_call* call, alca_str request) noexcept {
        return answer(call, request, [self](const Call& host, const Json&) {
            return Set::template get<T>(self).probe(host);
        });
    }
    static alca_status prepare(void* self, const alca_call* call, alca_str request) noexcept {
        return answer(call, request,
                      [self](const Call& host, const Json& json) -> Result<Prepared> {
                          auto spec = member<SandboxSpec>(json, "sandbox");
                          if (!spec) return fail(spec.error());
                          return Set::template get<T>(self).prepare(host, *spec);
                      });
    }
    static alca_status create(void* self, const alca_call* call, alca_str request) noexcept {
        return answer(call, request, [self](const Call& host, const Json& json) -> Result<Created> {
            auto spec = member<SandboxSpec>(json, "sandbox");
            if (!spec) return fail(spec.error());
            return Set::template get<T>(self).create(host, *spec);
        });
    }
    static alca_status start(void* self, const alca_call* call, alca_str request) noexcept {
        return answer(call, request, [self](const Call& host, const Json& json) -> Result<void> {
            auto ref = member<SandboxRef>(json, "sandbox");
            if (!ref) return fail(ref.error());
            return Set::template get<T>(self).start(host, *ref);
        });
    }
    static alca_status stop(void* self, const alca_call* call, alca_str request) noexcept {
        return answer(call, request, [self](const Call& host, const Json& json) -> Result<void> {
            auto ref = member<SandboxRef>(json, "sandbox");
            if (!ref) return fail(ref.error());
            return Set::template get<T>(self).stop(host, *ref);
        });
    }
    static alca_status remove(void* self, const alca_call* call, alca_str request) noexcept {
        return answer(call, request, [self](const Call& host, const Json& json) -> Result<void> {
            SandboxRef ref;
            bool keep_network = false;
            JsonReader in(json, "request");
            in.require("sandbox", ref);
            in.read("keep_network", keep_network);
            if (auto read = in.done(true); !read) return fail(read.error());
            return Set::template get<T>(self).remove(host, ref, keep_network);
        });
    }
    static alca_status status(void* self, const alca_call* call, alca_str request) noexcept {
        return answer(call, request,
                      [self](const Call& host, const Json& json) -> Result<SandboxStatus> {
                          auto ref = member<SandboxRef>(json, "sandbox");
                          if (!ref) return fail(ref.error());
                          return Set::template get<T>(self).status(host, *ref);
                      });
    }
    static alca_status list(void* self, const alca_call* call, alca_str request) noexcept {
        return answer(call, request, [self](const Call& host, const Json&) -> Result<Json> {
            auto sandboxes = Set::template get<T>(self).list(host);
            if (!sandboxes) return fail(sandboxes.error());
            return Json{{"sandboxes", *sandboxes}};
        });
    }
    static alca_status exec(void* self, const alca_call* call, alca_str request,
                            const alca_stdio* io, std::int32_t* exit_code) noexcept {
        return answer(call, request, [&](const Call& host, const Json& json) -> Result<void> {
            auto command = ExecRequest::from_json(json);
            if (!command) return fail(command.error());
            const Stdio streams{io->in, io->out, io->err, io->tty != 0, io->resize_fd};
            auto code = Set::template get<T>(self).exec(host, *command, streams);
            if (!code) return fail(code.error());
            *exit_code = *code;
            return {};
        });
    }

    static alca_status run_net_helper(void* self, const alca_call* call, alca_str request,
                                      const alca_stdio* io, std::int32_t* exit_code) noexcept {
        return answer(call, request, [&](const Call& host, const Json& json) -> Result<void> {
            auto helper = NetHelperRequest::from_json(json);
            if (!helper) return fail(helper.error());
            const Stdio streams{io->in, io->out, io->err, io->tty != 0, io->resize_fd};
            auto code = Set::template get<T>(self).run_net_helper(host, *helper, streams);
            if (!code) return fail(code.error());
            *exit_code = *code;
            return {};
        });
    }

    static constexpr alca_runtime_1 kTable{
        sizeof(alca_runtime_1), probe, prepare, create, start, stop, remove, status, list, exec,
        run_net_helper};
};

template <class Set, std::derived_from<Firewall> T>
struct Table<Set, T> {
    static constexpr const char* kId = ALCA_FIREWALL_1;

    static alca_status probe(void* self, const alca_call* call, alca_str request) noexcept {
        return answer(call, request, [self](const Call& host, const Json&) {
            return Set::template get<T>(self).probe(host);
        });
    }
    static alca_status apply(void* self, const alca_call* call, alca_str request) noexcept {
        return answer(call, request, [self](const Call& host, const Json& json) -> Result<void> {
            auto rules = FirewallRequest::from_json(json);
            if (!rules) return fail(rules.error());
            return Set::template get<T>(self).apply(host, *rules);
        });
    }
    static alca_status verify(void* self, const alca_call* call, alca_str request) noexcept {
        return answer(call, request,
                      [self](const Call& host, const Json& json) -> Result<FirewallVerdict> {
                          auto rules = FirewallRequest::from_json(json);
                          if (!rules) return fail(rules.error());
                          return Set::template get<T>(self).verify(host, *rules);
                      });
    }
    static alca_status remove(void* self, const alca_call* call, alca_str request) noexcept {
        return answer(call, request, [self](const Call& host, const Json& json) -> Result<void> {
            auto rules = FirewallRequest::from_json(json);
            if (!rules) return fail(rules.error());
            return Set::template get<T>(self).remove(host, *rules);
        });
    }
    static alca_status list(void* self, const alca_call* call, alca_str request) noexcept {
        return answer(call, request, [self](const Call& host, const Json&) -> Result<Json> {
            auto interfaces = Set::template get<T>(self).list(host);
            if (!interfaces) return fail(interfaces.error());
            return Json{{"interfaces", *interfaces}};
        });
    }
    static alca_status report(void* self, const alca_call* call, alca_str request) noexcept {
        return answer(call, request,
                      [self](const Call& host, const Json& json) -> Result<FirewallReport> {
                          auto rules = FirewallRequest::from_json(json);
                          if (!rules) return fail(rules.error());
                          return Set::template get<T>(self).report(host, *rules);
                      });
    }

    static alca_status connect(void* self, const alca_call* call, std::int32_t fd) noexcept {
        return answer(call, {"{}", 2}, [&](const Call& host, const Json&) -> Result<void> {
            return Set::template get<T>(self).connect(host, fd);
        });
    }

    static constexpr alca_firewall_1 kTable{
        sizeof(alca_firewall_1), probe, apply, verify, remove, list, report, connect};
};

template <class Set, std::derived_from<Presets> T>
struct Table<Set, T> {
    static constexpr const char* kId = ALCA_PRESETS_1;

    static alca_status list(void* self, const alca_call* call, alca_str request) noexcept {
        return answer(call, request, [self](const Call& host, const Json&) -> Result<Json> {
            auto presets = Set::template get<T>(self).list(host);
            if (!presets) return fail(presets.error());
            return Json{{"presets", *presets}};
        });
    }
    static alca_status render(void* self, const alca_call* call, alca_str request) noexcept {
        return answer(call, request,
                      [self](const Call& host, const Json& json) -> Result<PresetFiles> {
                          auto preset = PresetRequest::from_json(json);
                          if (!preset) return fail(preset.error());
                          return Set::template get<T>(self).render(host, *preset);
                      });
    }

    static constexpr alca_presets_1 kTable{sizeof(alca_presets_1), list, render};
};

}  // namespace alca::detail

#endif
