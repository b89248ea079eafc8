#include "plugins/shared/engine_http/registry_auth.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <optional>
#include <utility>

#include "alca/json.hpp"
#include "alca/spawn.hpp"
#include "plugins/shared/engine_http/base64.hpp"
#include "plugins/shared/engine_http/fd.hpp"
#include "plugins/shared/engine_http/small_file.hpp"
#include "plugins/shared/engine_http/socket.hpp"

namespace alca::engine_http {

namespace {

constexpr std::string_view kDockerHub = "https://index.docker.io/v1/";
constexpr std::size_t kMaxHelperBytes = 64U << 10;
constexpr std::chrono::milliseconds kHelperTimeout{30'000};
constexpr std::chrono::milliseconds kGrace{500};

struct Credentials {
    std::string username;
    std::string password;
    std::string identity_token;  // in place of the other two
};

std::string header_of(const Credentials& credentials, const std::string& registry) {
    Json json{{"serveraddress", registry}};
    if (!credentials.identity_token.empty()) {
        json["identitytoken"] = credentials.identity_token;
    } else {
        json["username"] = credentials.username;
        json["password"] = credentials.password;
    }
    return base64url_encode(dump(json));
}

// docker writes "host" or "https://host/v1/" as key of the same registry.
std::string host_of(std::string_view key) {
    for (const std::string_view scheme : {"https://", "http://"}) {
        if (key.starts_with(scheme)) key.remove_prefix(scheme.size());
    }
    return std::string(key.substr(0, key.find('/')));
}

// "user:password" in base64, or an identity token.
Result<std::optional<Credentials>> from_auths(const Json& auths, const std::string& registry) {
    for (const auto& [key, entry] : auths.items()) {
        if (key != registry && host_of(key) != host_of(registry)) continue;
        std::string encoded;
        Credentials credentials;
        JsonReader in(entry, "auths");
        in.read("auth", encoded);
        in.read("identitytoken", credentials.identity_token);
        if (auto read = in.done(true); !read) return fail(read.error());
        const std::string pair = base64_decode(encoded).value_or("");
        if (const std::size_t colon = pair.find(':'); colon != std::string::npos) {
            credentials.username = pair.substr(0, colon);
            credentials.password = pair.substr(colon + 1);
        }
        if (!credentials.identity_token.empty() || !credentials.username.empty()) {
            return std::optional<Credentials>(std::move(credentials));
        }
    }
    return std::nullopt;
}

bool is_helper_name(std::string_view name) {
    return !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
    });
}

// Everything that the helper prints, until it closes its output.
Result<std::string> read_all(int fd, const Wait& wait) {
    std::string text;
    std::array<char, 4096> chunk{};
    while (true) {
        if (auto ready = wait.for_events(fd, POLLIN); !ready) return fail(ready.error());
        const ssize_t count = ::read(fd, chunk.data(), chunk.size());
        if (count < 0 && errno == EINTR) continue;
        // A reset is the end too: the helper has not read its input. What it wrote came first.
        if (count == 0 || (count < 0 && errno == ECONNRESET)) return text;
        if (count < 0) return fail("its output cannot be read");
        text.append(chunk.data(), static_cast<std::size_t>(count));
        if (text.size() > kMaxHelperBytes) return fail("it prints too much");
    }
}

// `docker-credential-NAME get`: the registry on standard input, JSON on standard output.
Result<std::optional<Credentials>> from_helper(const Call& call, const std::string& name,
                                               const std::string& registry) {
    if (!is_helper_name(name)) return fail(Code::invalid, "'" + name + "' is no helper's name");
    const std::string program = "docker-credential-" + name;
    // A pair of sockets is both pipes at once: written and shut down, then read.
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        return fail("cannot make a socket for " + program);
    }
    const Fd ours(ends[0]);
    std::optional<Fd> theirs(std::in_place, ends[1]);
    Command command;
    command.argv = {program, "get"};
    command.in = theirs->get();
    command.out = theirs->get();
    auto child = spawn(command);
    if (!child) return fail(child.error());
    theirs.reset();  // or we would never see the end of its output

    // The name of a registry fits into any socket's buffer.
    static_cast<void>(::send(ours.get(), registry.data(), registry.size(), MSG_NOSIGNAL));
    static_cast<void>(::shutdown(ours.get(), SHUT_WR));
    const auto output = read_all(ours.get(), Wait(call, kHelperTimeout));
    if (!output) return fail(output.error(), program);
    const auto code = child->wait(call.cancel_fd(), kGrace);
    if (!code) return fail(code.error(), program);
    if (*code != 0) return std::nullopt;  // it has none for this registry

    auto json = parse_object(*output);
    if (!json) return fail(program + " does not print JSON");
    Credentials credentials;
    JsonReader in(*json, program);
    in.read("Username", credentials.username);
    in.read("Secret", credentials.password);
    if (auto read = in.done(true); !read) return fail(read.error());
    if (credentials.username == "<token>") {
        credentials.identity_token = std::exchange(credentials.password, {});
    }
    return std::optional<Credentials>(std::move(credentials));
}

struct CredentialConfig {
    std::map<std::string, std::string> helpers;  // by registry
    std::string store;                           // for all others
    Json auths = Json::object();
};

Result<CredentialConfig> read_config(const std::filesystem::path& file) {
    CredentialConfig config;
    auto content = read_small_file(file);
    if (!content) return fail(content.error(), file.string());
    const std::optional<std::string>& text = *content;
    if (!text) return config;
    auto json = parse_object(*text);
    if (!json) return fail(json.error(), file.string());
    JsonReader in(*json, "config");
    in.read("credHelpers", config.helpers);
    in.read("credsStore", config.store);
    in.read("auths", config.auths);
    auto read = in.done(std::move(config));
    if (!read) return fail(read.error(), file.string());
    return read;
}

}  // namespace

std::string registry_of(std::string_view image) {
    const std::size_t slash = image.find('/');
    const std::string_view first = image.substr(0, slash);
    const bool is_host =
        slash != std::string_view::npos &&
        (first == "localhost" || first.find_first_of(".:") != std::string_view::npos);
    if (!is_host || first == "docker.io" || first == "index.docker.io") {
        return std::string(kDockerHub);
    }
    return std::string(first);
}

Result<std::string> registry_auth(const Call& call, const std::string& registry,
                                  const Environment& environment) {
    const std::filesystem::path directory = environment.config_directory();
    if (directory.empty()) return std::string();
    auto config = read_config(directory / "config.json");
    if (!config) return fail(config.error());
    const auto helper = config->helpers.find(registry);
    const std::string& name = helper == config->helpers.end() ? config->store : helper->second;
    auto found =
        name.empty() ? from_auths(config->auths, registry) : from_helper(call, name, registry);
    if (!found) return fail(found.error());
    const std::optional<Credentials>& credentials = *found;
    return credentials ? header_of(*credentials, registry) : std::string();
}

}  // namespace alca::engine_http
