#include "tests/support/fakes/fake_runtime.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "core/os/file.hpp"

namespace alca::fakes {
namespace {

bool read_exactly(int fd, char* out, std::size_t size) {
    constexpr int kPatienceMs = 10'000;
    while (size > 0) {
        pollfd entry{fd, POLLIN, 0};
        if (::poll(&entry, 1, kPatienceMs) == 0) return false;
        const ssize_t count = ::read(fd, out, size);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        out += count;
        size -= static_cast<std::size_t>(count);
    }
    return true;
}

std::uint32_t read_u32(std::string_view bytes) {
    std::uint32_t value = 0;
    for (std::size_t i = 4; i-- > 0;) {
        value = value << 8 | static_cast<unsigned char>(bytes.at(i));
    }
    return value;
}

std::string take_string(std::string_view& payload) {
    const auto end = std::min(payload.find('\0'), payload.size());
    std::string text(payload.substr(0, end));
    payload.remove_prefix(std::min(end + 1, payload.size()));
    return text;
}

}  // namespace

std::optional<Frame> read_frame(int in) {
    std::string head(8, '\0');
    if (!read_exactly(in, head.data(), head.size())) return std::nullopt;
    Frame frame{read_u32(head), std::string(read_u32(std::string_view(head).substr(4)), '\0')};
    if (!read_exactly(in, frame.payload.data(), frame.payload.size())) return std::nullopt;
    return frame;
}

std::optional<InsideCommand> read_command_frame(int in) {
    constexpr std::size_t kFixedBytes = 20;
    const auto frame = read_frame(in);
    if (!frame || frame->type != 1 || frame->payload.size() < kFixedBytes) return std::nullopt;
    std::string_view payload = frame->payload;
    const std::uint32_t flags = read_u32(payload.substr(4));
    const std::uint32_t arguments = read_u32(payload.substr(12));
    const std::uint32_t variables = read_u32(payload.substr(16));
    payload.remove_prefix(kFixedBytes);
    InsideCommand command;
    command.flags = flags;
    command.cwd = take_string(payload);
    for (std::uint32_t i = 0; i < arguments; ++i) command.argv.push_back(take_string(payload));
    for (std::uint32_t i = 0; i < variables; ++i) command.env.push_back(take_string(payload));
    return command;
}

SandboxStatus* FakeRuntime::find(const SandboxRef& ref) {
    for (auto& [name, container] : containers) {
        const bool is_it = ref.container_id.empty() ? name == ref.name
                                                    : container.container_id == ref.container_id;
        if (is_it) return &container;
    }
    return nullptr;
}

Result<SandboxStatus*> FakeRuntime::find_ours(const SandboxRef& ref) {
    SandboxStatus* found = find(ref);
    if (found == nullptr) return fail(Code::not_found, "no such container");
    if (found->labels["alca.project.id"] != ref.id) {
        return fail(Code::invalid, "the container is not ours");
    }
    return found;
}

Result<RuntimeProbe> FakeRuntime::probe(const Call& call) {
    return journal_.perform(call, "runtime.probe",
                            [&]() -> Result<RuntimeProbe> { return probe_answer; });
}

Result<Prepared> FakeRuntime::prepare(const Call& call, const SandboxSpec& spec) {
    return journal_.perform(call, "runtime.prepare", [&]() -> Result<Prepared> {
        networks.insert_or_assign(spec.network.name, spec.network.interface);
        return Prepared{.image = {.id = "sha256:1", .user = image_user, .env = {}, .pulled = false},
                        .network = {.id = "n1",
                                    .interface = spec.network.interface,
                                    .subnets = {"172.30.0.16/28"},
                                    .gateways = gateways,
                                    .created = true}};
    });
}

Result<Created> FakeRuntime::create(const Call& call, const SandboxSpec& spec) {
    return journal_.perform(call, "runtime.create", [&]() -> Result<Created> {
        if (containers.contains(spec.name)) return fail("the name is taken");
        if (!networks.contains(spec.network.name)) return fail("no such network");
        SandboxStatus status;
        status.state = SandboxState::created;
        status.container_id = fmt::format("container-{}", ++made_);
        status.name = spec.name;
        status.image = spec.image;
        status.networks = {spec.network.name};
        status.gateways = gateways;
        status.labels = spec.labels;
        status.effective = spec;
        if (distort) distort(status);
        const std::string id = status.container_id;
        containers.emplace(spec.name, std::move(status));
        return Created{id};
    });
}

Result<void> FakeRuntime::start(const Call& call, const SandboxRef& ref) {
    return journal_.perform(call, "runtime.start", [&]() -> Result<void> {
        auto found = find_ours(ref);
        if (!found) return fail(found.error());
        if ((*found)->state != SandboxState::running) {
            firewall_.inside.erase((*found)->effective.network.interface);  // a new namespace
        }
        (*found)->state = SandboxState::running;
        (*found)->pid = tells_pid ? kPid : 0;
        return {};
    });
}

Result<void> FakeRuntime::stop(const Call& call, const SandboxRef& ref) {
    return journal_.perform(call, "runtime.stop", [&]() -> Result<void> {
        auto found = find_ours(ref);
        if (!found) return fail(found.error());
        (*found)->state = SandboxState::stopped;
        (*found)->pid = 0;
        return {};
    });
}

Result<void> FakeRuntime::remove(const Call& call, const SandboxRef& ref, bool keep_network) {
    return journal_.perform(call, "runtime.remove", [&]() -> Result<void> {
        if (const SandboxStatus* found = find(ref); found != nullptr) {
            if (auto ours = find_ours(ref); !ours) return fail(ours.error());
            firewall_.inside.erase(found->effective.network.interface);
            std::erase_if(containers,
                          [found](const auto& entry) { return &entry.second == found; });
        }
        if (!keep_network) networks.erase(ref.network_name);
        return {};
    });
}

Result<SandboxStatus> FakeRuntime::status(const Call& call, const SandboxRef& ref) {
    return journal_.perform(call, "runtime.status", [&]() -> Result<SandboxStatus> {
        const SandboxStatus* found = find(ref);
        return found == nullptr ? SandboxStatus{} : *found;
    });
}

Result<std::vector<SandboxStatus>> FakeRuntime::list(const Call& call) {
    return journal_.perform(call, "runtime.list", [&]() -> Result<std::vector<SandboxStatus>> {
        std::vector<SandboxStatus> all;
        all.reserve(containers.size());
        for (const auto& [name, container] : containers) all.push_back(container);
        return all;
    });
}

Result<int> FakeRuntime::verify(const SandboxStatus& sandbox, const ExecRequest& request,
                                const Stdio& io) const {
    std::vector<std::string> probes;
    for (std::size_t i = 3; i < request.argv.size(); i += 2) probes.push_back(request.argv[i]);
    const std::string& interface = sandbox.effective.network.interface;
    InsideReport report(sandbox.effective, probes, firewall_.isolates(interface));
    if (firewall_.inside.contains(interface)) {
        for (const std::string& address : probes) {
            static_cast<void>(report.replace(fmt::format("probe {} ", address),
                                             fmt::format("probe {} EPERM", address)));
        }
    }
    if (spoil) spoil(report);
    if (auto written = os::write_all(io.out, report.text()); !written) return fail(written.error());
    return 0;
}

Result<int> FakeRuntime::exec(const Call& call, const ExecRequest& request, const Stdio& io) {
    const std::string what = request.argv.size() > 1 ? request.argv[1] : "";
    return journal_.perform(call, "runtime.exec " + what, [&]() -> Result<int> {
        auto found = find_ours(request.sandbox);
        if (!found) return fail(found.error());
        if ((*found)->state != SandboxState::running) return fail("the container does not run");
        if (what == "verify") return verify(**found, request, io);
        if (stub) return stub(call, request, io);
        auto command = read_command_frame(io.in);
        if (!command) return fail("the stub was given no command");
        command->user = request.user;
        commands.push_back(std::move(*command));
        return exit_code;
    });
}

Result<int> FakeRuntime::run_net_helper(const Call& call, const NetHelperRequest& request,
                                        const Stdio& io) {
    const std::string where = request.inside ? "inside" : "host";
    return journal_.perform(call, "runtime.run_net_helper " + where, [&]() -> Result<int> {
        if (!probe_answer.net_helper) return fail(Code::unsupported, "no helper here");
        if (request.inside) {
            auto found = find_ours(request.sandbox);
            if (!found) return fail(found.error());
        }
        if (auto written = os::write_all(io.out, "!"); !written) return fail(written.error());
        char byte = 0;
        while (::read(io.in, &byte, 1) > 0) {
        }
        return 0;
    });
}

}  // namespace alca::fakes
