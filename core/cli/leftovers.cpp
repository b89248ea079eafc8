#include "core/cli/leftovers.hpp"

#include <algorithm>
#include <string_view>
#include <system_error>

#include "core/os/file.hpp"

namespace alca::cli {
namespace {

constexpr const char* kRuleDirectory = "etc/nftables.d/alcatraz";
constexpr const char* kMainFile = "etc/nftables.conf";
constexpr std::string_view kIncluded = "/etc/nftables.d/alcatraz/";
constexpr std::string_view kOurNetworks = "alca-";
constexpr std::size_t kMaxMainFileBytes = std::size_t{1024} * 1024;

std::optional<Leftover> rule_files(const fs::path& root) {
    const fs::path directory = root / kRuleDirectory;
    Leftover found{
        .name = "old rule files",
        .items = {},
        .advice =
            "rules of the Go tool for addresses of its containers, which others may have by "
            "now; left alone. When that tool is not used any more, remove them"};
    std::error_code error;
    fs::directory_iterator entry(directory, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
        if (entry->path().extension() == ".nft") found.items.push_back(entry->path().string());
    }
    if (error && error != std::errc::no_such_file_or_directory &&
        error != std::errc::not_a_directory) {
        found.items = {directory.string() + ": " + error.message()};
    }
    if (found.items.empty()) return std::nullopt;
    std::sort(found.items.begin(), found.items.end());
    return found;
}

bool is_include(std::string_view line) {
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    return line.starts_with("include") && line.find(kIncluded) != std::string_view::npos;
}

std::optional<Leftover> include_line(const fs::path& root) {
    const fs::path file = root / kMainFile;
    const auto text = os::read_file(file, kMaxMainFileBytes);
    // Only root may read it on some systems; then the rule files are what is known.
    if (!text) return std::nullopt;
    std::string_view rest = *text;
    while (!rest.empty()) {
        const auto end = std::min(rest.find('\n'), rest.size());
        if (is_include(rest.substr(0, end))) {
            return Leftover{.name = "old include line",
                            .items = {file.string()},
                            .advice =
                                "loads the Go tool's rule files at boot; left alone. When "
                                "that tool is not used any more, remove the line"};
        }
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return std::nullopt;
}

// No network at all: its runtime does not tell.
bool is_old(const SandboxStatus& sandbox) {
    return !sandbox.networks.empty() &&
           std::none_of(
               sandbox.networks.begin(), sandbox.networks.end(),
               [](const std::string& network) { return network.starts_with(kOurNetworks); });
}

}  // namespace

std::vector<Leftover> leftover_files(const fs::path& root) {
    std::vector<Leftover> all;
    for (auto& found : {rule_files(root), include_line(root)}) {
        if (found) all.push_back(*found);
    }
    return all;
}

std::optional<Leftover> leftover_containers(const std::vector<SandboxStatus>& sandboxes) {
    Leftover found{.name = "old containers",
                   .items = {},
                   .advice =
                       "on no network of their own, as the Go tool makes them: no rules of "
                       "this alca hold for them. Remove them with that tool (alca down), or "
                       "with the engine's rm"};
    for (const SandboxStatus& sandbox : sandboxes) {
        if (is_old(sandbox)) found.items.push_back(sandbox.name);
    }
    if (found.items.empty()) return std::nullopt;
    std::sort(found.items.begin(), found.items.end());
    return found;
}

}  // namespace alca::cli
