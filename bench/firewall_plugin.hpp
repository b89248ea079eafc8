// The firewall plugin, used through the plugin ABI as alca does. For the programs of this
// directory.
#ifndef ALCA_BENCH_FIREWALL_PLUGIN_HPP
#define ALCA_BENCH_FIREWALL_PLUGIN_HPP

#include <dlfcn.h>
#include <fmt/format.h>

#include <charconv>
#include <string>
#include <string_view>

#include "alca/firewall.h"

namespace alca::bench {

// Also the answers' end: nothing but success is of interest here.
inline void ignore(const alca_call*, alca_str) {}
inline void ignore_log(const alca_call*, int32_t, alca_str) {}
inline void print_reason(const alca_call*, alca_str reason) {
    fmt::print(stderr, "firewall: {}\n", std::string_view(reason.data, reason.len));
}
inline constexpr alca_call kCall{sizeof(alca_call), nullptr,    -1,    ignore,
                                 print_reason,      ignore_log, ignore};

// nullptr, with the reason on stderr, when `file` is no plugin.
inline const alca_plugin* load(const char* file) {
    // Kept until exit: the library is never unloaded.
    void* const library = ::dlopen(file, RTLD_NOW | RTLD_LOCAL);
    void* const entry = library == nullptr ? nullptr : ::dlsym(library, "alca_plugin_v1");
    if (entry == nullptr) {
        fmt::print(stderr, "{}\n", ::dlerror());
        return nullptr;
    }
    return reinterpret_cast<decltype(&alca_plugin_v1)>(entry)();
}

// One instance. It stays in the network namespace of its first call, wherever the thread goes.
class Firewall {
  public:
    explicit Firewall(const alca_plugin& plugin)
        : plugin_(plugin),
          table_(static_cast<const alca_firewall_1*>(plugin.query(ALCA_FIREWALL_1))) {}
    ~Firewall() {
        if (self_ != nullptr) plugin_.destroy(self_);
    }
    Firewall(const Firewall&) = delete;
    Firewall& operator=(const Firewall&) = delete;

    bool create() {
        return table_ != nullptr && plugin_.create(&kCall, {"{}", 2}, &self_) == ALCA_OK;
    }
    bool probe() { return call(table_->probe, "{}"); }
    bool apply(std::string_view interface) { return call(table_->apply, request(interface)); }
    bool remove(std::string_view interface) { return call(table_->remove, request(interface)); }

  private:
    static std::string request(std::string_view interface) {
        return fmt::format(
            R"({{"sandbox_id":"bench","interface":"{}","policy":"internet","dns":["192.0.2.53"]}})",
            interface);
    }
    bool call(alca_method method, const std::string& request) {
        return method(self_, &kCall, {request.data(), request.size()}) == ALCA_OK;
    }

    const alca_plugin& plugin_;
    const alca_firewall_1* table_;
    void* self_ = nullptr;
};

// Positive, or 0 if it is no such number.
inline int parse_count(std::string_view text) {
    int count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    return error == std::errc{} && end == text.data() + text.size() && count > 0 ? count : 0;
}

}  // namespace alca::bench

#endif
