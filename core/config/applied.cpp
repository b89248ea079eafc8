#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/uuid_io.hpp>

#include "core/config/config.hpp"
#include "core/config/expand.hpp"
#include "core/config/quantity.hpp"

namespace alca::config {
namespace {

// Values may be secrets, and the state is a file: only whether one changed is kept.
Json env_form(const EnvSetting& setting) {
    if (setting.value.find("${") != std::string::npos) return Json{{"literal", false}};
    const boost::uuids::name_generator_sha1 digest(boost::uuids::ns::oid());
    return Json{{"literal", true}, {"digest", boost::uuids::to_string(digest(setting.value))}};
}

Json mount_form(const Mount& mount) {
    Json form{{"target", mount.target}, {"readonly", mount.read_only}};
    form[mount.volume.empty() ? "source" : "volume"] =
        mount.volume.empty() ? mount.source : mount.volume;
    return form;
}

Json port_form(const Port& port) {
    return Json{{"port", port.container_port},
                {"hostPort", port.host_port},
                {"hostIp", port.host_ip},
                {"protocol", port.protocol}};
}

}  // namespace

Json applied_form(const Config& config) {
    Json mounts = Json::array();
    for (const MountSetting& setting : config.mounts) mounts.push_back(mount_form(setting.mount));
    Json ports = Json::array();
    for (const Port& port : config.network.ports) ports.push_back(port_form(port));
    Json envs = Json::object();
    for (const auto& [name, setting] : config.envs) envs[name] = env_form(setting);

    const Resources& resources = config.resources;
    const Json memory =
        resources.memory_bytes == 0 ? Json("") : Json(format_memory(resources.memory_bytes));
    return Json{
        {"image", config.image},
        {"workdir", config.workdir},
        {"runtime", config.runtime},
        {"user", config.user},
        {"stop_timeout", std::to_string(config.stop_timeout.count()) + " s"},
        {"commands", {{"up", config.commands.up}}},
        {"mounts", std::move(mounts)},
        {"resources",
         {{"memory", memory},
          {"cpus", static_cast<double>(resources.nano_cpus) / 1e9},
          {"pids", resources.pids}}},
        {"envs", std::move(envs)},
        {"network",
         {{"ipv6", config.network.ipv6}, {"ports", std::move(ports)}, {"dns", config.network.dns}}},
        {"caps", config.caps},
    };
}

}  // namespace alca::config
