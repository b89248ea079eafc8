#include "alca/plugin.hpp"
#include "plugins/runtime-docker/docker_runtime.hpp"

using alca::docker::DockerRuntime;
ALCA_PLUGIN(DockerRuntime)
