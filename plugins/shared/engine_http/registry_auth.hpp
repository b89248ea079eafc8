// plugins/shared/engine_http/registry_auth.hpp - the user's credentials for a registry, from where
// `docker login` keeps them.
#ifndef ALCA_PLUGINS_SHARED_ENGINE_HTTP_REGISTRY_AUTH_HPP
#define ALCA_PLUGINS_SHARED_ENGINE_HTTP_REGISTRY_AUTH_HPP

#include <string>
#include <string_view>

#include "alca/call.hpp"
#include "alca/result.hpp"
#include "plugins/shared/engine_http/endpoint.hpp"

namespace alca::engine_http {

// The registry that an image name means, as docker's files name it: "127.0.0.1:5000", "ghcr.io";
// Docker Hub's key for a name without a host.
[[nodiscard]] std::string registry_of(std::string_view image);

// Value of the header X-Registry-Auth; "" when there are no credentials for this registry.
// Order as docker: credHelpers, credsStore, auths. A helper program is run when one is configured;
// what it does not know is no credentials. Secrets are neither logged nor part of a message.
// Errors: invalid (config.json does not parse), failed (a helper that cannot be run), cancelled.
[[nodiscard]] Result<std::string> registry_auth(const Call& call, const std::string& registry,
                                                const Environment& environment);

}  // namespace alca::engine_http

#endif
