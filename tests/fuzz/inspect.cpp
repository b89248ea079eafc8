// What an engine says about a container, and how we understand it.
#include <algorithm>
#include <string>
#include <string_view>

#include "alca/runtime.hpp"
#include "fuzz/support/target.hpp"
#include "plugins/shared/engine_http/engine.hpp"
#include "plugins/shared/engine_http/inspect.hpp"
#include "plugins/shared/engine_http/subnet.hpp"

namespace alca::fuzz {

void one_input(std::string_view input) {
    if (const auto version = engine_http::ApiVersion::parse(input)) {
        claim(engine_http::ApiVersion::parse(version->text()) == version, "version");
    }
    for (const engine_http::Ipv4Subnet& route : engine_http::parse_routes(input)) {
        claim(route.prefix >= 8 && route.prefix <= 32, "prefix of a route");
        claim(route.overlaps(route), "a route overlaps itself");
    }
    const auto json = parse_object(input);
    if (!json) return;
    static_cast<void>(engine_http::status_of_list_entry(*json));
    static_cast<void>(engine_http::weaknesses_of(*json));
    const auto status = engine_http::status_of_inspect(*json);
    if (!status) return;
    const auto& capabilities = status->effective.capabilities;
    claim(std::is_sorted(capabilities.begin(), capabilities.end()), "capabilities are sorted");
}

}  // namespace alca::fuzz
