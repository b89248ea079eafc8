#include "plugins/shared/engine_http/endpoint.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <optional>
#include <string_view>

#include "alca/json.hpp"
#include "plugins/shared/engine_http/digest.hpp"
#include "plugins/shared/engine_http/small_file.hpp"

namespace alca::engine_http {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kDefaultUrl = "unix:///var/run/docker.sock";
constexpr std::string_view kUnixScheme = "unix://";

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

Result<Endpoint> endpoint_of(std::string url, std::string origin) {
    if (url.starts_with(kUnixScheme)) {
        std::string path = url.substr(kUnixScheme.size());
        if (!path.starts_with('/')) {
            return fail(Code::invalid, fmt::format("{} (from {}): the socket's path must be "
                                                   "absolute, such as {}",
                                                   url, origin, kDefaultUrl));
        }
        return Endpoint{std::move(url), std::move(path), std::move(origin)};
    }
    if (url.find("://") == std::string::npos) {
        return fail(Code::invalid,
                    fmt::format("engine address '{}' (from {}) has no scheme; write unix://{}", url,
                                origin, url.starts_with('/') ? url : "/PATH/TO/docker.sock"));
    }
    return fail(Code::unsupported,
                fmt::format("{} (from {}): remote engines are not supported yet by this version; "
                            "choose an engine at a unix:// socket",
                            url, origin));
}

// A member of nested objects, or nullptr where one is missing.
const Json* find_path(const Json& json, std::initializer_list<const char*> keys) {
    const Json* at = &json;
    for (const char* key : keys) {
        if (!at->is_object()) return nullptr;
        const auto it = at->find(key);
        if (it == at->end()) return nullptr;
        at = &*it;
    }
    return at;
}

Result<Endpoint> endpoint_of_context(const Environment& environment, const std::string& name,
                                     std::string_view chosen_by) {
    if (name == "default") return endpoint_of(std::string(kDefaultUrl), "default");
    const std::string origin = "context " + name;
    const fs::path file =
        environment.config_directory() / "contexts" / "meta" / sha256_hex(name) / "meta.json";
    auto read = read_small_file(file);
    if (!read) return fail(read.error(), file.string());
    const std::optional<std::string>& text = *read;
    if (!text) {
        return fail(Code::not_found,
                    fmt::format("there is no docker context '{}', which {} names; run: docker "
                                "context ls",
                                name, chosen_by));
    }
    auto meta = parse_object(*text);
    if (!meta) return fail(meta.error(), file.string());
    const Json* host = find_path(*meta, {"Endpoints", "docker", "Host"});
    if (host == nullptr || !host->is_string() || host->get_ref<const std::string&>().empty()) {
        return fail(Code::invalid,
                    fmt::format("{}: the context names no docker host", file.string()));
    }
    return endpoint_of(host->get<std::string>(), origin);
}

// "" when there is no config.json or when it names no context.
Result<std::string> current_context(const fs::path& config_file) {
    auto read = read_small_file(config_file);
    if (!read) return fail(read.error(), config_file.string());
    const std::optional<std::string>& text = *read;
    std::string name;
    if (!text) return name;
    auto config = parse_object(*text);
    if (!config) return fail(config.error(), config_file.string());
    JsonReader in(*config, "config");
    in.read("currentContext", name);
    auto found = in.done(std::move(name));
    if (!found) return fail(found.error(), config_file.string());
    return found;
}

}  // namespace

Environment Environment::of_process() {
    return {.docker_host = variable("DOCKER_HOST"),
            .docker_context = variable("DOCKER_CONTEXT"),
            .docker_config = variable("DOCKER_CONFIG"),
            .home = variable("HOME")};
}

fs::path Environment::config_directory() const {
    if (!docker_config.empty()) return docker_config;
    return home.empty() ? fs::path() : fs::path(home) / ".docker";
}

std::string Endpoint::describe() const { return fmt::format("{} (from {})", url, origin); }

Result<Endpoint> resolve_endpoint(const Environment& environment) {
    if (!environment.docker_host.empty()) {
        return endpoint_of(environment.docker_host, "DOCKER_HOST");
    }
    if (!environment.docker_context.empty()) {
        return endpoint_of_context(environment, environment.docker_context, "DOCKER_CONTEXT");
    }
    const fs::path directory = environment.config_directory();
    if (!directory.empty()) {
        const fs::path file = directory / "config.json";
        auto name = current_context(file);
        if (!name) return fail(name.error());
        if (!name->empty()) return endpoint_of_context(environment, *name, file.string());
    }
    return endpoint_of(std::string(kDefaultUrl), "default");
}

}  // namespace alca::engine_http
