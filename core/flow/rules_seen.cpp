#include "core/flow/rules_seen.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include "core/os/file.hpp"
#include "core/os/nf_tables.hpp"

namespace alca::flow {
namespace {

constexpr std::size_t kMaxBytes = 1024;

fs::path file_of(const Host& host, const project::State& state) {
    return host.state_directory / "seen" / state.project_id;
}

}  // namespace

std::optional<std::string> rules_stamp(const project::Store& store, const project::State& state) {
    const auto generation = os::ruleset_generation();
    if (!generation) return std::nullopt;
    const auto boot = os::read_file("/proc/sys/kernel/random/boot_id", kMaxBytes);
    struct stat network{};
    struct stat file{};
    if (!boot || ::stat("/proc/self/ns/net", &network) != 0 ||
        ::stat(store.state_file(state.directory.path).c_str(), &file) != 0) {
        return std::nullopt;
    }
    return fmt::format("{}{} {} {} {}.{:09} {}\n", *boot, network.st_ino, *generation, file.st_ino,
                       file.st_mtim.tv_sec, file.st_mtim.tv_nsec, file.st_size);
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

}  // namespace alca::flow
