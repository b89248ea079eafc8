#include "core/config/danger.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace alca::config {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 7> kEngineSockets{
    "docker.sock",    "podman.sock",     "containerd.sock", "crio.sock",
    "buildkitd.sock", "dockershim.sock", "docker.raw.sock"};

// Below the home directory: keys and logins, of this user and of others' machines.
constexpr std::array<std::string_view, 20> kSecrets{".ssh",
                                                    ".gnupg",
                                                    ".aws",
                                                    ".azure",
                                                    ".kube",
                                                    ".docker",
                                                    ".config/gcloud",
                                                    ".config/gh",
                                                    ".netrc",
                                                    ".git-credentials",
                                                    ".npmrc",
                                                    ".pypirc",
                                                    ".claude",
                                                    ".claude.json",
                                                    ".codex",
                                                    ".gemini",
                                                    ".password-store",
                                                    ".local/share/keyrings",
                                                    ".mozilla",
                                                    ".config/google-chrome"};

// Below the home directory: what is run or believed on this machine later.
constexpr std::array<std::string_view, 17> kRunLater{
    "bin",           ".local",           ".local/bin",      ".config",           ".bashrc",
    ".bash_profile", ".profile",         ".zshrc",          ".zshenv",           ".gitconfig",
    ".config/git",   ".config/fish",     ".config/systemd", ".config/autostart", ".local/share",
    ".local/state",  ".local/state/alca"};

constexpr std::array<std::string_view, 12> kSystem{"/bin",  "/boot",  "/dev",  "/etc",
                                                   "/lib",  "/lib64", "/proc", "/root",
                                                   "/sbin", "/sys",   "/usr",  "/var"};

template <std::size_t N>
bool is_named(const std::array<std::string_view, N>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

// /run, and /run/user/1000 hold the sockets of engines and of the user's session.
bool holds_sockets(const fs::path& path) {
    return path == "/run" || path == "/var/run" || path == "/var/run/docker" ||
           path.parent_path() == "/run/user" || path == "/run/user" || path == "/run/docker" ||
           path == "/run/podman" || path == "/run/containerd" ||
           path.parent_path().parent_path() == "/run/user";
}

}  // namespace

bool is_within(const fs::path& path, const fs::path& directory) {
    return std::mismatch(directory.begin(), directory.end(), path.begin(), path.end()).first ==
           directory.end();
}

std::string danger(const fs::path& path, const fs::path& home) {
    if (path == "/") return "everything on this machine";
    if (is_named(kEngineSockets, path.filename().string())) {
        return "a container engine's socket gives full control over this machine";
    }
    if (holds_sockets(path)) {
        return "sockets there give control over container engines and your session";
    }
    if (!home.empty() && is_within(home, path)) {
        return "your whole home directory: keys, logins, programs, and what alca itself trusts";
    }
    if (!home.empty() && is_within(path, home)) {
        for (const std::string_view secret : kSecrets) {
            if (is_within(path, home / secret)) return "keys or logins are kept there";
        }
        for (const std::string_view later : kRunLater) {
            if (path == home / later) return "what is written there can run on this machine later";
        }
        return "";
    }
    for (const std::string_view system : kSystem) {
        if (is_within(path, system)) return "part of this machine's system";
    }
    return "";
}

}  // namespace alca::config
