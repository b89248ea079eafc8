#include "core/flow/verify_sandbox.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

#include "core/flow/exec_inside.hpp"
#include "core/flow/limited_call.hpp"
#include "core/os/file.hpp"

namespace alca::flow {
namespace {

constexpr std::size_t kMaxAnswerBytes = std::size_t{4} * 1024 * 1024;

// The helper needs milliseconds; a machine under heavy load may need seconds to start it.
constexpr std::chrono::seconds kLongestAnswer{30};

// It can not grow beyond the limit: a write of more is an error to whoever writes.
Result<os::Fd> memory_file(const char* name) {
    os::Fd fd(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!fd || ::ftruncate(fd.get(), kMaxAnswerBytes) != 0 ||
        ::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_GROW) != 0) {
        return fail("cannot make a memory file: " + os::errno_text(errno));
    }
    return fd;
}

Result<std::string> content_of(const os::Fd& fd) {
    const off_t size = ::lseek(fd.get(), 0, SEEK_CUR);  // behind what was written
    if (size < 0 || static_cast<std::size_t>(size) > kMaxAnswerBytes) {
        return fail(Code::invalid, "the answer from inside the sandbox is too large");
    }
    std::string text(static_cast<std::size_t>(size), '\0');
    std::size_t done = 0;
    while (done < text.size()) {
        const ssize_t count =
            ::pread(fd.get(), text.data() + done, text.size() - done, static_cast<off_t>(done));
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return fail("cannot read a memory file: " + os::errno_text(errno));
        done += static_cast<std::size_t>(count);
    }
    return text;
}

std::string label_of(const SandboxStatus& status, const char* label) {
    const auto found = status.labels.find(label);
    return found == status.labels.end() ? "" : found->second;
}

}  // namespace

Result<std::vector<std::string>> verify_from_inside(const Context& context, const SandboxRef& ref,
                                                    const Expectation& expectation) {
    const auto out = memory_file("alca-verify-out");
    const auto err = memory_file("alca-verify-err");
    if (!out || !err) return fail(out ? err.error() : out.error());

    ExecRequest request{
        .sandbox = ref, .argv = {kInitPath, "verify"}, .env = {}, .cwd = "/", .user = "0:0"};
    for (const std::string& gateway : expectation.gateways) {
        request.argv.emplace_back("--probe");
        request.argv.push_back(gateway);
    }
    const auto call = LimitedCall::make(context.call, kLongestAnswer);
    if (!call) return fail(call.error());
    const auto code = context.runtime.runtime.exec(
        *call, request, {.in = -1, .out = out->get(), .err = err->get()});
    if (!code && call->is_expired()) {
        return fail(Code::failed,
                    fmt::format("cannot verify the sandbox from inside: no answer within {} s",
                                kLongestAnswer.count()));
    }
    if (!code) return fail(code.error(), "cannot verify the sandbox from inside");
    const auto answer = content_of(*out);
    if (!answer) return fail(answer.error());
    if (*code != 0) {
        return fail(fmt::format("cannot verify the sandbox from inside: exit code {}: {}", *code,
                                content_of(*err).value_or("no answer")));
    }
    const auto facts = parse_inside_facts(*answer);
    if (!facts) return fail(facts.error());
    return check_inside(*facts, expectation);
}

Result<void> check_plugins(const Context& context, const project::State& state) {
    if (state.phase == project::Phase::absent) return {};
    const std::string& firewall = state.firewall.plugin;
    if (state.runtime == context.runtime.id &&
        (firewall.empty() || context.firewall == nullptr || context.firewall->id == firewall)) {
        return {};
    }
    return fail(Code::unavailable, "another alca has just changed this project; try again");
}

Result<void> check_ours(const SandboxStatus& status, const project::State& state) {
    if (label_of(status, "alca.project.id") != state.project_id) {
        return fail(
            Code::invalid,
            fmt::format("container {} exists but does not belong to this project; remove or "
                        "rename it, then run: alca up",
                        state.container_name));
    }
    const std::string path = label_of(status, "alca.project.path");
    if (path != state.directory.path.string()) {
        return fail(Code::invalid,
                    fmt::format("project directory has moved from {} to {}: run 'alca down' there, "
                                "then 'alca up' here (project path mismatch)",
                                path, state.directory.path.string()));
    }
    if (!state.container_id.empty() && status.container_id != state.container_id) {
        return fail(Code::invalid,
                    fmt::format("container {} is not the one that alca made; remove it, then run: "
                                "alca up",
                                state.container_name));
    }
    return {};
}

}  // namespace alca::flow
