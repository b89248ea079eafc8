// host DIRECTORY: finds the plugin "sample" in a directory as alca does, and takes it through the
// life of one sandbox. Prints each step; exits with 1 at the first that fails.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "alca/runtime.hpp"
#include "core/os/crash.hpp"
#include "core/os/fd.hpp"
#include "core/plugins/loader.hpp"

namespace {

namespace plugins = alca::plugins;

class Quiet final : public alca::Call {
  public:
    [[nodiscard]] int cancel_fd() const override { return -1; }
    void log(alca::LogLevel, std::string_view line) const override { fmt::print("{}\n", line); }
    void progress(const alca::Progress&) const override {}
};

bool check(bool good, std::string_view what) {
    fmt::print("{}: {}\n", what, good ? "ok" : "FAILED");
    return good;
}

bool check_exec(alca::Runtime& runtime, const alca::Call& call, const alca::SandboxRef& ref) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return false;
    const alca::os::Fd read(ends[0]);
    const alca::os::Fd write(ends[1]);
    alca::ExecRequest request;
    request.sandbox = ref;
    request.argv = {"/inside/sub/bin/sh", "-c", "printf \"$A$PWD\"; exit 3"};
    request.env = {{"A", "in "}};
    request.cwd = "/inside/sub/bin";
    const auto code = runtime.exec(call, request, {-1, write.get(), -1, false, -1});
    char text[64] = {};
    const ssize_t size = ::read(read.get(), text, sizeof text);
    return code && *code == 3 && size > 0 &&
           std::string(text, static_cast<std::size_t>(size)) == "in /usr/bin";
}

bool check_life(alca::Runtime& runtime, const alca::Call& call) {
    alca::SandboxSpec spec;
    spec.id = "11111111-2222-3333-4444-555555555555";
    spec.name = "alca-x";
    spec.image = "none";
    // /inside/sub/bin is mapped through the mount that contains it.
    spec.mounts = {{"/usr", "", "/inside/sub", false}};
    spec.network.interface = "alca0";
    const alca::SandboxRef ref{spec.id, spec.name, "", ""};
    using alca::SandboxState;
    const auto state_is = [&](SandboxState state) {
        const auto status = runtime.status(call, ref);
        return status && status->state == state;
    };
    return check(state_is(SandboxState::absent), "absent before") &&
           check(runtime.prepare(call, spec).has_value(), "prepare") &&
           check(runtime.create(call, spec).has_value(), "create") &&
           check(state_is(SandboxState::created), "created") &&
           check(runtime.start(call, ref).has_value(), "start") &&
           check(runtime.start(call, ref).has_value(), "start again") &&
           check(state_is(SandboxState::running), "running") &&
           check(!runtime.status(call, ref)->weaknesses.empty(), "reports its weakness") &&
           check(check_exec(runtime, call, ref), "exec") &&
           check(runtime.list(call)->size() == 1, "list") &&
           check(runtime.stop(call, ref).has_value(), "stop") &&
           check(state_is(SandboxState::stopped), "stopped") &&
           check(runtime.remove(call, ref, false).has_value(), "remove") &&
           check(runtime.remove(call, ref, false).has_value(), "remove again") &&
           check(state_is(SandboxState::absent), "absent after");
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    const Quiet call;
    alca::os::Breadcrumb breadcrumb;
    plugins::Loader loader(plugins::scan({{argv[1]}, {}}, {::geteuid(), {}, {}}), breadcrumb);
    for (const plugins::PluginInfo& info : loader.catalog().plugins) {
        fmt::print("{} {} {} {}\n", info.id, info.version, to_string(info.state), info.reason);
    }
    auto runtime = loader.runtime(call, "sample");
    if (!runtime) {
        fmt::print("{}\n", runtime.error().message);
        return 1;
    }
    const auto probe = (*runtime)->probe(call);
    if (!check(probe && probe->available, "probe")) return 1;
    return check_life(**runtime, call) ? 0 : 1;
}
