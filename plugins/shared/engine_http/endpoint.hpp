// plugins/shared/engine_http/endpoint.hpp - which engine socket the user means, as the docker
// program decides it.
#ifndef ALCA_PLUGINS_SHARED_ENGINE_HTTP_ENDPOINT_HPP
#define ALCA_PLUGINS_SHARED_ENGINE_HTTP_ENDPOINT_HPP

#include <filesystem>
#include <string>

#include "alca/result.hpp"

namespace alca::engine_http {

// The variables that decide. Empty counts as unset, as it does for docker.
struct Environment {
    std::string docker_host;     // DOCKER_HOST
    std::string docker_context;  // DOCKER_CONTEXT
    std::string docker_config;   // DOCKER_CONFIG
    std::string home;            // HOME

    // Of this process. Reads variables only.
    [[nodiscard]] static Environment of_process();
    // Where docker keeps its contexts and credentials. Empty when neither variable is set.
    [[nodiscard]] std::filesystem::path config_directory() const;
};

struct Endpoint {
    std::string url;          // "unix:///var/run/docker.sock"
    std::string socket_path;  // "/var/run/docker.sock"
    std::string origin;       // what chose it: "DOCKER_HOST", "context work", "default"

    // For messages: "unix:///var/run/docker.sock (from DOCKER_HOST)".
    [[nodiscard]] std::string describe() const;
};

// First hit wins: DOCKER_HOST, DOCKER_CONTEXT, currentContext in config.json, the default socket.
// Reads config.json and the context's meta.json; does not connect.
// Errors: unsupported (an engine that is not at a unix socket), invalid (a DOCKER_HOST without
// scheme, a broken file), not_found (no such context). Nothing falls back silently.
[[nodiscard]] Result<Endpoint> resolve_endpoint(const Environment& environment);

}  // namespace alca::engine_http

#endif
