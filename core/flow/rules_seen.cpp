#include "core/flow/rules_seen.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <system_error>

#include "alca/json.hpp"
#include "core/flow/sandbox_spec.hpp"
#include "core/os/file.hpp"
#include "core/os/nf_tables.hpp"

namespace alca::flow {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{1} << 20;

fs::path file_of(const Host& host, const project::State& state) {
    return host.state_directory / "seen" / state.project_id;
}

}  // namespace

Result<std::string> rules_stamp(const project::State& state) {
    const auto generation = os::ruleset_generation();
    if (!generation) return fail(generation.error());
    const auto boot = os::read_file("/proc/sys/kernel/random/boot_id", kMaxBytes);
    if (!boot) return fail(Code::failed, boot.error().message);
    struct stat network{};
    if (::stat("/proc/self/ns/net", &network) != 0) {
        return fail("/proc/self/ns/net: " + os::errno_text(errno));
    }
    const Json request = make_firewall_request(state);
    return fmt::format("{}{} {}\n{}\n", *boot, network.st_ino, *generation, dump(request));
}

void note_rules_seen(const Host& host, const project::State& state, const std::string& stamp) {
    const fs::path file = file_of(host, state);
    if (!os::make_directories(file.parent_path(), 0700)) return;
    static_cast<void>(os::write_file_atomic(file, stamp, 0600));
}

bool were_rules_seen(const Host& host, const project::State& state, const std::string& stamp) {
    const auto noted = os::read_file(file_of(host, state), kMaxBytes, os::Follow::no);
    return noted && *noted == stamp;
}

void forget_rules_seen(const Host& host, const project::State& state) {
    std::error_code ignored;
    fs::remove(file_of(host, state), ignored);
}

}  // namespace alca::flow
