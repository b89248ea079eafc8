// A network namespace for one test: what happens in it reaches nothing else.
#ifndef ALCA_TESTS_FIREWALL_NFT_NETNS_HPP
#define ALCA_TESTS_FIREWALL_NFT_NETNS_HPP

#include <sched.h>

#include <string>
#include <thread>
#include <type_traits>

namespace alca::nft::test {

// Ends with the object and with the sockets made in it.
class Netns {
  public:
    // Loopback is up; nothing else is there.
    Netns();
    ~Netns();
    Netns(const Netns&) = delete;
    Netns& operator=(const Netns&) = delete;

    // "" when this process may make namespaces, else the reason to skip a test.
    [[nodiscard]] static std::string missing_right();

    // Runs `function` on a thread inside; what it opens stays inside for good.
    template <class Function>
    auto run(Function function) const {
        using Value = std::invoke_result_t<Function>;
        if constexpr (std::is_void_v<Value>) {
            std::thread([&] {
                enter();
                function();
            }).join();
        } else {
            Value value{};
            std::thread([&] {
                enter();
                value = function();
            }).join();
            return value;
        }
    }

    // Moves the calling thread in, for good. For children made by fork.
    void enter() const;
    // As `ip` takes it for `netns NAME`.
    [[nodiscard]] std::string path() const;

    // `ip -batch` and `nft -f` with `commands`; a command that fails is a failure of the test.
    // family: "-4" or "-6", for commands that have the same words for both.
    void ip(const std::string& commands, const std::string& family = "") const;
    void nft(const std::string& commands) const;
    // Output of `nft ARGUMENT...`, with counters left out.
    [[nodiscard]] std::string nft_list(const std::string& what) const;
    // Output of `ip rule` for both families.
    [[nodiscard]] std::string ip_rules() const;
    // Packets of a named counter in table inet alca.
    [[nodiscard]] int counter(const std::string& name) const;
    // Writes /proc/sys/net/NAME as seen from inside. Returns false when there is no such file.
    bool sysctl(const std::string& name, const std::string& value) const;

  private:
    int fd_ = -1;
};

}  // namespace alca::nft::test

#define ALCA_SKIP_WITHOUT_NETNS()                                                       \
    if (const auto reason = ::alca::nft::test::Netns::missing_right(); !reason.empty()) \
    GTEST_SKIP() << reason

#endif
