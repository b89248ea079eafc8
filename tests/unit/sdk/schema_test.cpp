// Each struct of the SDK and its schema say the same: members, types, and which are required.
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <set>
#include <sstream>

#include "alca/detail/progress_json.hpp"
#include "alca/firewall.hpp"
#include "alca/presets.hpp"
#include "alca/runtime.hpp"

namespace alca {
namespace {

Json schema(const std::string& name) {
    std::ifstream file(ALCA_SCHEMA_DIR "/" + name + ".schema.json");
    std::stringstream text;
    text << file.rdbuf();
    auto json = parse_object(text.str());
    EXPECT_TRUE(json) << name;
    return json ? *json : Json::object();
}

std::set<std::string> keys_of(const Json& object) {
    std::set<std::string> keys;
    for (const auto& [key, value] : object.items()) keys.insert(key);
    return keys;
}

std::string type_of(const Json& property) {
    return property.contains("$ref") ? "object" : property.at("type").get<std::string>();
}

bool has_type(const Json& value, const std::string& type) {
    if (type == "string") return value.is_string();
    if (type == "boolean") return value.is_boolean();
    if (type == "integer") return value.is_number_integer();
    if (type == "array") return value.is_array();
    return type == "object" && value.is_object();
}

using Parser = std::function<bool(const Json&)>;  // does it read?

void compare(const std::string& name, const Json& definition, const Json& value,
             const Parser& reads) {
    SCOPED_TRACE(name);
    const Json& properties = definition.at("properties");
    EXPECT_EQ(keys_of(value), keys_of(properties));
    ASSERT_TRUE(reads(value));
    const auto required = definition.value("required", std::set<std::string>{});
    for (const auto& [key, property] : properties.items()) {
        SCOPED_TRACE(key);
        EXPECT_TRUE(has_type(value.at(key), type_of(property)));
        EXPECT_TRUE(property.contains("$ref") || property.contains("description"));
        Json without = value;
        without.erase(key);
        EXPECT_EQ(reads(without), !required.contains(key));
        Json wrong = value;
        wrong[key] = type_of(property) == "string" ? Json(7) : Json("text");
        EXPECT_FALSE(reads(wrong));
    }
}

template <class T>
void compare(const std::string& file, const std::string& name, const T& value = {}) {
    const Json json = schema(file);
    ASSERT_TRUE(json.at("$defs").contains(name)) << name;
    compare(name, json["$defs"][name], Json(value),
            [](const Json& object) { return T::from_json(object).has_value(); });
}

// Two schemas have names of their own for enumerated values.
void expect_values(const std::string& file, const std::string& name, const std::string& member,
                   const Json& values) {
    const Json json = schema(file);
    EXPECT_EQ(json.at("$defs").at(name).at("properties").at(member).at("enum"), values);
}

TEST(SchemaTest, RuntimeStructs) {
    compare<RuntimeProbe>("runtime", "RuntimeProbe");
    compare<Mount>("runtime", "Mount");
    compare<Port>("runtime", "Port");
    compare<NetworkSpec>("runtime", "NetworkSpec");
    compare<SandboxSpec>("runtime", "SandboxSpec");
    compare<SandboxRef>("runtime", "SandboxRef");
    compare<PreparedImage>("runtime", "PreparedImage");
    compare<PreparedNetwork>("runtime", "PreparedNetwork");
    compare<Prepared>("runtime", "Prepared");
    compare<Created>("runtime", "Created");
    compare<SandboxStatus>("runtime", "SandboxStatus");
    compare<ExecRequest>("runtime", "ExecRequest");
    compare<NetHelperRequest>("runtime", "NetHelperRequest");
}

TEST(SchemaTest, FirewallStructs) {
    compare<FirewallProbe>("firewall", "FirewallProbe");
    FirewallRequest request;
    request.proxy = TcpProxy{.to = TcpProxy::kHost, .port = 1080};
    compare<FirewallRequest>("firewall", "FirewallRequest", request);
    compare<TcpProxy>("firewall", "TcpProxy", *request.proxy);
    compare<TrafficLimits>("firewall", "TrafficLimits");
    compare<FirewallVerdict>("firewall", "FirewallVerdict");
    compare<PublishedPort>("firewall", "PublishedPort", {.protocol = "tcp", .port = 1});
    expect_values("firewall", "FirewallRequest", "layer", {"host", "inside"});
    compare<PortRange>("firewall", "PortRange", {.first = 1, .last = 2});
    compare<AllowRule>("firewall", "AllowRule");
    compare<BlockedTarget>("firewall", "BlockedTarget");
    compare<FirewallReport>("firewall", "FirewallReport");
    expect_values("firewall", "FirewallRequest", "policy",
                  {to_string(NetworkPolicy::internet), to_string(NetworkPolicy::open)});
}

TEST(SchemaTest, PresetsStructs) {
    compare<PresetInfo>("presets", "PresetInfo");
    compare<PresetRequest>("presets", "PresetRequest");
    compare<PresetFiles>("presets", "PresetFiles");
}

TEST(SchemaTest, Progress) {
    compare("Progress", schema("progress"), Json(Progress{}),
            [](const Json& object) { return progress_from_json(object).has_value(); });
}

// The methods of each interface are those of its C struct, in its order.
TEST(SchemaTest, MethodsAreTheSlotsOfTheTables) {
    EXPECT_EQ(keys_of(schema("runtime").at("x-alca-methods")),
              (std::set<std::string>{"probe", "prepare", "create", "start", "stop", "remove",
                                     "status", "list", "exec", "run_net_helper"}));
    EXPECT_EQ(sizeof(alca_runtime_1), 11 * sizeof(void*));
    EXPECT_EQ(
        keys_of(schema("firewall").at("x-alca-methods")),
        (std::set<std::string>{"probe", "apply", "verify", "remove", "list", "report", "connect"}));
    EXPECT_EQ(sizeof(alca_firewall_1), 8 * sizeof(void*));
    EXPECT_EQ(keys_of(schema("presets").at("x-alca-methods")),
              (std::set<std::string>{"list", "render"}));
    EXPECT_EQ(sizeof(alca_presets_1), 3 * sizeof(void*));
}

TEST(SchemaTest, EveryReferenceResolves) {
    for (const char* file : {"runtime", "firewall", "presets", "progress", "manifest"}) {
        const Json json = schema(file);
        EXPECT_EQ(json.at("$schema"), "https://json-schema.org/draft/2020-12/schema");
        const Json flat = json.flatten();
        for (const auto& [path, value] : flat.items()) {
            if (!path.ends_with("/$ref")) continue;
            const auto target = value.get<std::string>().substr(1);
            EXPECT_TRUE(json.contains(Json::json_pointer(target))) << file << path;
        }
    }
}

}  // namespace
}  // namespace alca
