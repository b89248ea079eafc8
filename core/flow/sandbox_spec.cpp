#include "core/flow/sandbox_spec.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <cerrno>

#include "core/flow/exec_inside.hpp"
#include "core/flow/jobs.hpp"
#include "core/flow/protection.hpp"
#include "core/flow/run_socket.hpp"
#include "core/flow/seccomp_profile.hpp"
#include "core/os/file.hpp"

namespace alca::flow {
namespace {

constexpr const char* kHostUserName = "agent";
constexpr const char* kHostUserHome = "/home/agent";
// What process 1 needs to end itself, when it has killed the others.
constexpr std::chrono::seconds kEndOfInit{3};
constexpr std::size_t kMaxHelperBytes = std::size_t{16} * 1024 * 1024;

std::vector<std::string> init_arguments(const config::Config& config, const HostUser& user) {
    const std::chrono::milliseconds grace = config.stop_timeout;
    std::vector<std::string> argv{
        kInitPath, "init",         "--serve",    fmt::format("{}/{}", kRunMount, kRunSocket),
        "--jobs",  kJobsDirectory, "--grace-ms", std::to_string(grace.count())};
    if (config.user != "host" || user.uid == 0) return argv;
    argv.emplace_back("--user");
    argv.push_back(fmt::format("{}:{}:{}:{}", user.uid, user.gid, kHostUserName, kHostUserHome));
    for (const config::MountSetting& setting : config.mounts) {
        // A new volume belongs to root; the user it was made for must be able to write to it.
        if (setting.mount.volume.empty()) continue;
        argv.emplace_back("--own");
        argv.push_back(setting.mount.target);
    }
    return argv;
}

std::vector<Mount> mounts_of(const config::Config& config, const project::State& state,
                             const fs::path& init_program, const fs::path& run_directory) {
    std::vector<Mount> mounts;
    for (const config::MountSetting& setting : config.mounts) {
        Mount mount = setting.mount;
        if (!mount.volume.empty()) mount.volume = volume_name(state, mount.volume);
        mounts.push_back(std::move(mount));
    }
    mounts.push_back(
        {.source = init_program.string(), .volume = "", .target = kInitPath, .read_only = true});
    mounts.push_back(
        {.source = run_directory.string(), .volume = "", .target = kRunMount, .read_only = false});
    return mounts;
}

}  // namespace

Result<HostUser> host_user(const Host& host, const fs::path& project) {
    if (host.uid != 0) return HostUser{host.uid, host.gid};
    struct stat info{};
    if (::stat(project.c_str(), &info) != 0) {
        return fail(fmt::format("{}: {}", project.string(), os::errno_text(errno)));
    }
    return HostUser{info.st_uid, info.st_gid};
}

Result<fs::path> keep_init_program(const Host& host) {
    const auto content = os::read_file(host.init_program, kMaxHelperBytes);
    if (!content) {
        return fail(content.error(), "a part of alca is missing; install it again");
    }
    const boost::uuids::name_generator_sha1 digest(boost::uuids::ns::oid());
    const fs::path directory = host.state_directory / "helpers";
    fs::path copy = directory / fmt::format("alca-init-{}", to_string(digest(*content)));
    if (const auto present = os::read_file(copy, kMaxHelperBytes, os::Follow::no);
        present && *present == *content) {
        return copy;
    }
    if (auto made = os::make_directories(directory, 0755); !made) return fail(made.error());
    if (auto written = os::write_file_atomic(copy, *content, 0555); !written) {
        return fail(written.error());
    }
    return copy;
}

std::string volume_name(const project::State& state, const std::string& volume) {
    return fmt::format("{}-{}", state.container_name, volume);
}

Result<SandboxSpec> make_spec(const config::Config& config, const project::State& state,
                              const Host& host, const fs::path& init_program,
                              const fs::path& run_directory) {
    auto env = config::creation_environment(config, host.environment);
    if (!env) return fail(env.error());
    const auto user = host_user(host, config.project_dir);
    if (!user) return fail(user.error());

    SandboxSpec spec;
    spec.id = state.project_id;
    spec.name = state.container_name;
    spec.project_path = config.project_dir.string();
    spec.image = config.image;
    spec.init = init_arguments(config, *user);
    spec.user = "0:0";
    spec.workdir = config.workdir;
    spec.hostname = state.container_name;
    spec.dns = config.network.dns;
    spec.env = std::move(*env);
    spec.labels = {{"alca.project.id", state.project_id},
                   {"alca.project.path", spec.project_path},
                   {"alca.version", "1"}};
    spec.mounts = mounts_of(config, state, init_program, run_directory);
    spec.ports = config.network.ports;
    spec.capabilities = config.caps;
    spec.no_new_privileges = true;
    spec.seccomp = seccomp_profile(config.caps);
    spec.pids_limit = config.resources.pids;
    spec.memory_bytes = config.resources.memory_bytes;
    spec.nano_cpus = config.resources.nano_cpus;
    spec.stop_timeout_s = (config.stop_timeout + kEndOfInit).count();
    spec.network = {.name = state.network.name,
                    .interface = state.network.interface,
                    .ipv6 = config.network.ipv6};
    return spec;
}

Result<std::string> run_user(const config::Config& config, const Host& host) {
    if (config.user != "host") return config.user;
    const auto user = host_user(host, config.project_dir);
    if (!user) return fail(user.error());
    return fmt::format("{}:{}", user->uid, user->gid);
}

SandboxRef make_ref(const project::State& state) {
    return {.id = state.project_id,
            .name = state.container_name,
            .container_id = state.container_id,
            .network_name = state.network.name};
}

FirewallRequest make_firewall_request(const project::State& state, FirewallLayer layer,
                                      std::int64_t pid) {
    return {.sandbox_id = state.project_id,
            .interface = state.network.interface,
            .policy = policy_of(state.firewall),
            .dns = state.firewall.dns,
            .allow = state.firewall.allow,
            .strict = state.firewall.strict,
            .proxy = state.firewall.proxy,
            .limits = state.firewall.limits,
            .layer = layer,
            .pid = layer == FirewallLayer::inside ? pid : 0,
            .gateways = state.network.gateways,
            .published = state.firewall.published};
}

}  // namespace alca::flow
