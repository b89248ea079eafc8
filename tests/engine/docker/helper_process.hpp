// A program of tests/support that prints "listening on ADDRESS" and serves until the test ends.
#ifndef ALCA_TESTS_ENGINE_DOCKER_HELPER_PROCESS_HPP
#define ALCA_TESTS_ENGINE_DOCKER_HELPER_PROCESS_HPP

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "alca/spawn.hpp"
#include "sandbox_fixture.hpp"

namespace alca::test {

class HelperProcess {
  public:
    // script: below tests/support. The address is empty when it did not start.
    HelperProcess(const std::string& script, const std::vector<std::string>& arguments) {
        Command command;
        command.argv = {"python3", std::string(ALCA_SUPPORT_DIR) + "/" + script};
        command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
        command.out = output_.write.get();
        auto child = spawn(command);
        EXPECT_TRUE(child) << child.error().message;
        output_.write = Fd();
        if (!child) return;
        child_.emplace(*std::move(child));
        const std::string line = read_line();
        const std::string start = "listening on ";
        EXPECT_EQ(line.substr(0, start.size()), start);
        if (line.size() > start.size()) address_ = line.substr(start.size());
    }

    [[nodiscard]] const std::string& address() const { return address_; }

  private:
    std::string read_line() {
        std::string line;
        char byte = 0;
        while (::read(output_.read.get(), &byte, 1) == 1 && byte != '\n') line += byte;
        return line;
    }

    Pipe output_;
    std::optional<Child> child_;  // killed at the end
    std::string address_;
};

}  // namespace alca::test

#endif
